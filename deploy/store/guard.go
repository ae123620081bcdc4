// Package cmd: a guard in front of MinIO's own handlers, added to its source when it is built (build.sh).
//
// MinIO is no longer maintained, and the last published source lets whoever knows an access key alone write objects
// (GHSA-9c4q-hq6p-c237, GHSA-hv4r-mvr4-25vw). Two shapes of request lead there: a payload that is declared unsigned
// with a trailer, and credentials that stand in the address instead of the Authorization header. No client of sonovan
// sends either. This guard stands first in the list of middlewares, so that every request meets it before any of
// MinIO's own code decides what kind of request it is, and it lets through only what it knows:
//
//   - GET and HEAD of /minio/health/…, which say nothing of what is stored;
//   - requests whose Authorization header carries a version 4 signature, whose query carries no credentials, and whose
//     payload is named by its SHA-256, signed chunk by chunk, or left out of a signature that covers all headers;
//   - the login of MinIO's own console, a signed POST to / whose payload MinIO hashes itself;
//   - where the store is several processes, what one of them asks of another: the paths of sonovanPeers, with a token that
//     was signed with root's secret, which the guard verifies by itself. One process alone has no such paths.
//
// MinIO still verifies the signature. What is left out on purpose: presigned addresses, version 2 signatures, uploads by
// browser forms, anonymous requests, other bearer tokens, tar uploads that the server unpacks, headers by which one server
// replicates to another (GHSA-3rh2-v3gr-35p9), and S3 Select (GHSA-h749-fxx7-pwpg).
//
// This file is part of sonovan and is licensed, as a part of this build of MinIO, under the GNU AGPL version 3 or later.
package cmd

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/minio/minio/internal/grid"
	"github.com/minio/mux"
)

var sonovanPayload = regexp.MustCompile(
	`^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?)$`)

// Parameters by which a query carries credentials, and the two that start S3 Select; compared in lower case.
var sonovanQuery = map[string]bool{
	"awsaccesskeyid": true, "signature": true, "expires": true, "action": true, "select": true, "select-type": true,
}

// Beginnings of headers that ask for what sonovan never does; compared in lower case.
var sonovanHeaders = []string{
	"x-minio-replication-", "x-minio-source-", "x-amz-meta-snowball-", "x-minio-snowball-", "x-amz-replication-",
}

// What processes of one store ask of each other, by method: their two channels, the folders of their drives, and whether
// they are there. Left out are a new binary for all of them, profiles and speed tests, which nobody here asks for, and the
// reading of several files, whose names may lead out of a drive (GHSA-xh8f-g2qw-gcm7) and which no code of MinIO's calls.
var sonovanPeers = map[string]*regexp.Regexp{
	http.MethodGet: regexp.MustCompile(
		"^(" + grid.RoutePath + "|" + grid.RouteLockPath + "|" + storageRESTPrefix + "/.+)$"),
	http.MethodPost: regexp.MustCompile(
		"^(" + storageRESTPrefix + "/.+|" + peerRESTPrefix + peerRESTVersionPrefix + peerRESTMethodHealth + ")$"),
}

func init() {
	globalMiddlewares = append([]mux.MiddlewareFunc{sonovanGuard}, globalMiddlewares...)
}

func sonovanGuard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sonovanAllows(r) {
			writeErrorResponse(r.Context(), w, errorCodes.ToAPIErr(ErrAccessDenied), r.URL)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func sonovanAllows(r *http.Request) bool {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return false
	}
	for name := range query {
		name = strings.ToLower(name)
		if sonovanQuery[name] || strings.HasPrefix(name, "x-amz-") {
			return false
		}
	}
	for name := range r.Header {
		for _, refused := range sonovanHeaders {
			if strings.HasPrefix(strings.ToLower(name), refused) {
				return false
			}
		}
	}
	if strings.HasPrefix(r.URL.Path, "/minio/health/") {
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	if peers, asked := sonovanPeers[r.Method]; globalIsDistErasure && asked && peers.MatchString(r.URL.Path) {
		several := strings.HasSuffix(r.URL.Path, storageRESTMethodReadMultiple)
		return !several && len(r.Header.Values("Authorization")) == 1 && storageServerRequestValidate(r) == nil
	}
	signed, hashed := r.Header.Values("Authorization"), r.Header.Values("X-Amz-Content-Sha256")
	if len(signed) != 1 || !strings.HasPrefix(signed[0], "AWS4-HMAC-SHA256 ") {
		return false
	}
	if len(hashed) == 0 {
		return r.Method == http.MethodPost && r.URL.Path == "/" && r.URL.RawQuery == "" &&
			strings.Contains(signed[0], "/sts/aws4_request")
	}
	return len(hashed) == 1 && sonovanPayload.MatchString(hashed[0])
}
