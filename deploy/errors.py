"""What can go wrong when services are started. Every message is one line that says what to do."""


class DeployError(Exception):
    """A service could not be started, stopped or judged."""


class ToolMissing(DeployError):
    """java, mvn or go is not there, or too old."""


class ServiceFailed(DeployError):
    """A process ended while it started, or did not become healthy before its deadline."""
