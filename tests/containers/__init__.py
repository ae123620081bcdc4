"""The images and compose.yaml, built and run by a real engine: `make containers-test`, which `make test` leaves out."""
