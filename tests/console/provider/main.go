// A provider of logins for tests: the server of zitadel/oidc's own examples (a certified OpenID Connect library), with
// users, a client and a port that the test names, and on loopback alone.
//
// PORT, USERS (a JSON file), CLIENT, SECRET, REDIRECT.
package main

import (
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

func main() {
	port := os.Getenv("PORT")
	users, err := storage.StoreFromFile(os.Getenv("USERS"))
	if err != nil {
		panic(err)
	}
	storage.RegisterClients(storage.WebClient(os.Getenv("CLIENT"), os.Getenv("SECRET"), os.Getenv("REDIRECT")))
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	router := exampleop.SetupServer("http://localhost:"+port+"/", storage.NewStorage(users), logger, false)
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, router))
}
