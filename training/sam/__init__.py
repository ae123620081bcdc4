"""The compact SAM: a prompt encoder and mask decoder on the frozen trunk, trained, exported and measured here."""
