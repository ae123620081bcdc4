"""The gateway: scanners, worklist, tray."""
