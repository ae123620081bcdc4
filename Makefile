# Every target first makes .venv in this folder from the hashed lock file, which has the tools of tests and checks, too.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-findings bench-text bench-kills bench-van bench-assess bench-catalog bench-console bench-objects bench-hostile bench-replay bench-report bench-scale bench-fuzz bench-models bench-mirror bench-peers bench-sequence bench-codecs lock clean test-training test-consumers upgrade-trial containers containers-test containers-sbom docs kubernetes images page-images audit pin-images

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(READY): requirements-dev.lock pyproject.toml deploy/venv.sh
	@PYTHON=$(PYTHON) deploy/venv.sh $(VENV) requirements-dev.lock
	@touch $@

demo: $(READY) ## one real file from a scanner and one simulated sweep, to a report and an alert (KEEP=1 leaves it running)
	@$(RUN) -m sonovan.demo

test: $(READY) ## units, services, the journeys through real Kafka and MinIO (apart: test-training, containers-test, test-consumers)
	@echo "left to \`make test-training\`: tests/training, which needs torch"
	@command -v pdftotext >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq poppler-utils >/dev/null; } \
		|| echo "pdftotext is missing (Debian: poppler-utils): PDFs are not read back" >&2
	@command -v storescu >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq dcmtk >/dev/null; } \
		|| echo "storescu is missing (Debian: dcmtk): the listener is tested by pynetdicom alone" >&2
	@command -v Orthanc >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && mkdir -p /etc/systemd/system && { [ -e /etc/systemd/system/orthanc.service ] || ln -s /dev/null /etc/systemd/system/orthanc.service; } && apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends orthanc >/dev/null; } \
		|| echo "Orthanc is missing (Debian: orthanc): the listener is tested without another node" >&2
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| echo "chromium is missing (Debian: chromium): the pages are tested without a browser" >&2
	@command -v promtool >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && mkdir -p /etc/systemd/system && { [ -e /etc/systemd/system/prometheus.service ] || ln -s /dev/null /etc/systemd/system/prometheus.service; } && apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends prometheus >/dev/null; } \
		|| echo "promtool is missing (Debian: prometheus): alert rules are not tried" >&2
	@command -v npm >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends npm >/dev/null; } \
		|| echo "npm is missing (Debian: npm): the console's pages are tested without axe-core" >&2
	@$(RUN) -m tests.side_by_side

check: $(READY) ## style, types, who may import whom
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports

docs: $(READY) ## write docs/topics.md, docs/catalogue.md, docs/asyncapi.json and docs/schemas again from the code
	@$(VENV)/bin/sonovan topics describe --out docs
	@$(RUN) -m sonovan.reports.schema docs/schemas/report.json
	@$(RUN) -m sonovan.storage.catalogue.docs docs/catalogue.md

kubernetes: $(READY) ## make the manifests of deploy/kubernetes again from compose.yaml
	@$(RUN) -m tests.deploy.manifests

images: $(READY) ## draw the picture of README.md again with the network that is shipped now
	@$(RUN) -m sonovan.illustrate docs/images/overlay.png

page-images: $(READY) ## draw the pictures of the van's page and of the console in README.md again (needs Chromium and a Chinese font)
	@$(RUN) -m tests.producers.page.screenshots docs/images
	@$(RUN) -m tests.console.screenshots docs/images

bench: $(READY) ## the pipeline against its floor: benchmarks/results/pipeline.json
	@$(RUN) -m benchmarks.pipeline

bench-findings: $(READY) ## words, bands, withheld outlines and alerts on real pictures: benchmarks/results/findings.json (DATA=../shared/data)
	@$(RUN) -m benchmarks.findings --data $(or $(DATA),../shared/data)

bench-text: $(READY) ## names, ids, dates and addresses planted in real pictures: benchmarks/results/text.json (DATA=../shared/data, SHEET=file)
	@$(RUN) -m benchmarks.text --data $(or $(DATA),../shared/data) $(if $(SHEET),--sheet $(SHEET))

bench-kills: $(READY) ## fifty kills of assess and alert while four sweeps are sent and amended: benchmarks/results/kills.json
	@$(RUN) -m benchmarks.kills

bench-van: $(READY) ## a van on a slow link, on one that is cut, with a wrong clock, under load and killed: benchmarks/results/van.json (ONLY=uplink,link,intake,kills,live,identifiers,text, DATA=../shared/data)
	@command -v faketime >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq faketime >/dev/null; } \
		|| echo "faketime is missing (Debian: faketime): no clock can be set wrong, ONLY=link fails" >&2
	@$(RUN) -m benchmarks.van $(if $(ONLY),--only $(ONLY)) $(if $(DATA),--data $(DATA))

bench-assess: $(READY) ## what one worker of assess takes a second: benchmarks/results/assess.json
	@$(RUN) -m benchmarks.assess

bench-catalog: $(READY) ## topics to the catalogue on PostgreSQL, SCREENINGS (100000) of them: benchmarks/results/catalog.json
	@$(RUN) -m benchmarks.catalog --screenings $(or $(SCREENINGS),100000)

bench-console: $(READY) ## pages of the console under load, each part by itself: benchmarks/results/console.json (ONLY=worklist,events)
	@$(RUN) -m benchmarks.console $(if $(ONLY),--only $(ONLY))

bench-objects: $(READY) ## packs against small objects: benchmarks/results/objects.json (MANY=1000000 STATE=folder: what many small ones cost)
	@$(RUN) -m benchmarks.objects $(if $(MANY),--many $(MANY) --state $(STATE))

bench-report: $(READY) ## how long a report takes after the last frame, by the length of the sweep: benchmarks/results/report_wait.json
	@$(RUN) -m benchmarks.report_wait

bench-hostile: $(READY) ## hostile vans beside honest ones for MINUTES (10): benchmarks/results/hostile.json
	@$(RUN) -m benchmarks.hostile --minutes $(or $(MINUTES),10)

bench-replay: $(READY) ## what live work loses while stored frames are replayed beside it: benchmarks/results/replay.json
	@$(RUN) -m benchmarks.replay

bench-scale: $(READY) ## three brokers, a store of four machines, PostgreSQL, workers on hosts of their own (root): benchmarks/results/scale.json (ONLY=happenings,law HAPPENING="a broker is lost"; FROM=commit rolls workers from that version)
	@command -v nft >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq nftables >/dev/null; }
	@$(RUN) -m benchmarks.scale $(if $(ONLY),--only $(ONLY)) $(if $(HAPPENING),--only happenings --happening "$(HAPPENING)") $(if $(FROM),--from $(FROM))

bench-fuzz: $(READY) ## damaged inputs, each read in a process of its own, for MINUTES (10): no traceback, signal or broken bound
	@$(RUN) -m benchmarks.fuzz --minutes $(or $(MINUTES),10)

bench-models: $(READY) ## every runtime, precision and batch: benchmarks/results/models.json (DATA=../shared/data)
	@$(RUN) -m benchmarks.models --data $(or $(DATA),../shared/data) --register

bench-mirror: $(READY) ## what looking at mirror images only where they may matter saves and loses: benchmarks/results/mirror.json (DATA=../shared/data)
	@$(RUN) -m benchmarks.mirror --data $(or $(DATA),../shared/data)

bench-peers: $(READY) ## the same step in five other libraries, in an environment of their own: benchmarks/results/peers.json (ONLY="sonovan confluent-kafka")
	@PYTHON=$(PYTHON) deploy/venv.sh .venv-peers benchmarks/peers/requirements.lock
	@$(RUN) -m benchmarks.peers $(foreach name,$(ONLY),--only $(name))

audit: $(READY) ## what is pinned, with its known advisories (deploy/advisories.toml); fails where one is neither mended nor accepted
	@$(RUN) -m sonovan.deploy.audit

pin-images: ## write the digests of the base images into the Dockerfiles (needs docker and a registry)
	@sh deploy/pin-images.sh deploy/Dockerfile deploy/*/Dockerfile

bench-drift: $(READY) ## false alarms and found drifts on real pictures: benchmarks/results/drift.json (DATA=../shared/data)
	@$(RUN) -m benchmarks.drift --data $(or $(DATA),../shared/data)

bench-sequence: $(READY) ## sweeps against single frames, on simulated sweeps: benchmarks/results/sequence.json (DATA=../shared/data, KEEP=folder)
	@$(RUN) -m benchmarks.sequence --data $(or $(DATA),../shared/data) $(if $(KEEP),--keep $(KEEP))

test-training: ## the training room's tests, in an environment of its own with torch
	@PYTHON=$(PYTHON) deploy/venv.sh .venv-training training/requirements.lock
	@.venv-training/bin/python -m pytest -q tests/training

test-consumers: $(READY) ## every recipe of docs/consuming.md against a real broker, in an environment with pandas and Spark
	@[ -x .venv-consumers/bin/python ] || $(PYTHON) -m venv .venv-consumers
	@.venv-consumers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/consumers/requirements.lock
	@command -v kcat >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && apt-get install -y -qq kcat >/dev/null; } \
		|| echo "kcat is missing (Debian: kcat): its recipe is left out" >&2
	@$(RUN) -m pytest -q -rs tests/consumers

upgrade-trial: $(READY) ## centre and van of an older version (FROM=commit or tag) go on under this one, and the way back is tried
	@test -n "$(FROM)" || { echo "say FROM=commit or tag of the older version" >&2; exit 2; }
	@$(RUN) -m tests.upgrade.trial --from $(FROM)

containers: ## build the images of compose.yaml, with this machine's container engine or, as root on Debian, one of its own
	@deploy/compose/with-engine.sh deploy/compose/build.sh

containers-test: $(READY) ## build and run the centre in containers: docs/operations.md, killed containers, layers (not part of `make test`)
	@deploy/compose/with-engine.sh bash -c 'deploy/compose/build.sh && CI= $(RUN) -m pytest -q -rs tests/containers' || \
		{ status=$$?; [ $$status = 4 ] && $(RUN) -m pytest -q -rs tests/containers || exit $$status; }

containers-sbom: ## what is in each image, as CycloneDX: build/sbom
	@deploy/compose/with-engine.sh deploy/compose/sbom.sh build/sbom

lock: ## resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml --python-version 3.11 --extra build \
		--generate-hashes --no-emit-index-url --no-header -o requirements.lock
	uv pip compile pyproject.toml -c requirements.lock --python-version 3.11 --extra build --extra test --extra check \
		--generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock
	uv pip compile tests/consumers/requirements.in --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o tests/consumers/requirements.lock
	uv pip compile benchmarks/peers/requirements.in -c <(grep -E '^[a-z0-9-]+==' requirements.lock | grep -v '^pydantic' | sed 's/ .*//') --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o benchmarks/peers/requirements.lock

clean: ## remove what the other targets made here, the state folder included (stops nothing: `sonovan down` does)
	rm -rf $(VENV) .venv-training .venv-consumers .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build ./*.egg-info
	rm -rf .sonovan
