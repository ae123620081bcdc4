"""Running Kafka and MinIO: what `compose.yaml` mounts, and the same two services without containers.

What belongs here: process and file management only. A state folder with its secrets, ports, logs and process
records (`state.py`), the per-user cache of Kafka's jars and the MinIO binary (`cache.py`), how each of the two is
configured, started and judged healthy (`kafka.py`, `minio.py`), the guard that MinIO is built with (`store/`), and the
three verbs that the command line needs (`services.py`: start, stop, status).

What does not: topics, SCRAM users, ACLs, buckets, which apps exist. Those come from the topic table and the settings,
and the `sonovan` room applies them to what runs here. So this room imports nothing of the project.

A state folder holds everything of one installation, so two of them run side by side and deleting one forgets it:

    kafka/    broker configuration (0600) and its log directory
    minio/    objects
    apps/     data folders of the project's workers
    logs/     one log per process, the last few kept
    run/      lock, ports, and for each process how it was launched and which process it is
    secrets/  generated once, 0600

Needs Linux (5.3 or newer, for pidfd), a JDK 17, and for the first start Maven and Go. Containers: `compose.yaml`
at the top of the repository with `deploy/Dockerfile` and `deploy/compose/`.
"""
