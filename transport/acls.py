"""Grants as Kafka's access control entries, and back."""

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from sonovan.transport.grants import Grant, Operation, Resource

_PRINCIPAL = "User:"
_ANY_HOST = "*"
_OPERATIONS = frozenset(operation.value for operation in Operation)
_RESOURCES = frozenset(resource.value for resource in Resource)


def entry(grant: Grant) -> ACL:
    """The entry that allows what `grant` says, from any host."""
    pattern = ACLResourcePatternType.PREFIXED if grant.prefixed else ACLResourcePatternType.LITERAL
    return ACL(
        principal=f"{_PRINCIPAL}{grant.account}",
        host=_ANY_HOST,
        operation=ACLOperation[grant.operation],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(ResourceType[grant.resource], grant.name, pattern),
    )


def exact_filter(acl: ACL) -> ACLFilter:
    """A filter that matches this entry alone."""
    found = acl.resource_pattern
    pattern = ResourcePatternFilter(found.resource_type, found.resource_name, found.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, pattern)


def every_entry(account: str | None = None) -> ACLFilter:
    """A filter that matches all entries, or all of one account."""
    return ACLFilter(
        principal=None if account is None else f"{_PRINCIPAL}{account}",
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )


def account_of(acl: ACL) -> str:
    """The account that an entry speaks of."""
    return str(acl.principal).removeprefix(_PRINCIPAL)


def describe(acl: ACL) -> str:
    """One line: who may, or may not, do what."""
    found = acl.resource_pattern
    star = "*" if found.pattern_type == ACLResourcePatternType.PREFIXED else ""
    word = acl.permission_type.name.lower()
    return f"{account_of(acl)}: {word} {acl.operation.name} on {found.resource_type.name} {found.resource_name}{star}"


def grant_of(acl: ACL) -> Grant | None:
    """The grant that an entry holds; None for an entry of a kind that this project never makes."""
    found = acl.resource_pattern
    if acl.permission_type != ACLPermissionType.ALLOW or acl.host != _ANY_HOST:
        return None
    if acl.operation.name not in _OPERATIONS or found.resource_type.name not in _RESOURCES:
        return None
    prefixed = found.pattern_type == ACLResourcePatternType.PREFIXED
    resource, operation = Resource(found.resource_type.name), Operation(acl.operation.name)
    return Grant(account_of(acl), resource, found.resource_name, operation, prefixed)
