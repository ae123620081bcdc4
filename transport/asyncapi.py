"""The topics as an AsyncAPI 3 document, generated from the table: what tools read instead of `docs/topics.md`.

It is written as JSON, which is YAML too. Payloads refer to the JSON Schemas that lie beside it in `schemas/`.
Source: AsyncAPI specification 3.0.0; Kafka bindings 0.5.0.
"""

import json
from typing import Any, Final

from sonovan.contracts.limits import MAX_MESSAGE_BYTES
from sonovan.contracts.topics import FOR_EVER, TOPICS, TopicSpec, Writer, van_answered_topic
from sonovan.transport.grants import consumer_topics

FILE: Final = "asyncapi.json"
_VAN: Final = "{van_id}"
_MESSAGE: Final = "#/components/messages/"

_ABOUT: Final = """Breast and thyroid ultrasound screening: what vans send, and what is found in it. Generated from \
contracts/topics.py; docs/consuming.md shows how to read it. Consumers ignore fields that they do not know: a newer \
minor version of a record may have more."""
_SIGNED: Final = """ The value is a van's envelope, a msgpack map of header, payload, payload_sha256 and signature; \
the header is the JSON document that this schema describes."""
_PERSONAL: Final = " Its records hold a subject key or her clinical record: nobody reads them who was not given leave."


def asyncapi() -> str:
    """The text of `docs/asyncapi.json`."""
    specs = {str(spec.name): spec for spec in TOPICS.values()} | {"van.answered.v1": van_answered_topic(_VAN)}
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "sonovan", "version": "1.0.0", "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "centre": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "host:port of a broker"}},
                "security": [{"$ref": "#/components/securitySchemes/scram"}],
            }
        },
        "channels": {name: _channel(spec) for name, spec in specs.items()},
        "operations": dict(sorted(_operations(specs).items())),
        "components": {
            "messages": {spec.value.schema_name: _message(spec) for spec in specs.values()},
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "an account of one's own"}},
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _channel(spec: TopicSpec) -> dict[str, Any]:
    name = spec.value.schema_name
    channel: dict[str, Any] = {
        "address": spec.name,
        "title": spec.purpose,
        "description": f"Keyed by {spec.key}.{_PERSONAL if spec.personal else ''}",
        "messages": {name: {"$ref": f"{_MESSAGE}{name}"}},
        "bindings": {
            "kafka": {
                "partitions": spec.partitions,
                "replicas": spec.replication_factor,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if spec.compacted else "delete"],
                    "retention.ms": FOR_EVER if spec.compacted else spec.retention_ms,
                    "max.message.bytes": MAX_MESSAGE_BYTES,
                },
            }
        },
    }
    if _VAN in spec.name:
        channel["parameters"] = {"van_id": {"description": "the van whose answers these are"}}
    return channel


def _message(spec: TopicSpec) -> dict[str, Any]:
    record = spec.value
    return {
        "name": record.schema_name,
        "title": record.__name__,
        "summary": f"{spec.purpose}.{_SIGNED if spec.signed else ''}",
        "contentType": "application/msgpack" if spec.signed else "application/json",
        "payload": {"$ref": f"schemas/{record.schema_name}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": spec.key}}},
    }


def _operations(specs: dict[str, TopicSpec]) -> dict[str, Any]:
    """Who sends and receives what; `consumer` stands for everybody who was enrolled without naming topics."""
    found = {}
    for name, spec in specs.items():
        roles = [("send", writer.value) for writer in Writer if writer in spec.writers]
        roles += [("receive", reader.value) for reader in Writer if reader in spec.readers]
        roles += [("receive", "consumer")] if spec.name in consumer_topics() else []
        for action, account in roles:
            found[f"{account}.{action}.{name}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": f"{account} {action}s {spec.purpose}",
            }
    return found
