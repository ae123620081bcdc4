"""Make the manifests of `deploy/kubernetes/` from compose.yaml (`make kubernetes`); a test holds that they are those.

What a service of compose.yaml is told stays what its container is told here: the same variables, secrets by reference
to the Secret `sonovan` (made from the same `.env`), settings by reference to the ConfigMap `sonovan-settings`. What
Kubernetes has of its own (how many of each, disks, networks, what a node may take away) stands in this file.
"""

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sonovan.contracts.topics import STAGES

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "kubernetes"
SCRIPTS: Final = (
    FOLDER / "broker-of-three.sh", ROOT / "deploy/compose/broker.sh", ROOT / "deploy/compose/broker.properties",
)  # fmt: skip
BROKERS: Final = 3
DRIVES: Final = 4
LEFT_OUT: Final = ("settings", "certificates", "doctor")
"""`.env` is no file here, the certificate is made by a person, who keeps the authority's key (README.md), and nobody
calls a doctor by a manifest."""

SECRET, OF_BROKERS, SETTINGS, CERTIFICATE = "sonovan", "sonovan-brokers", "sonovan-settings", "sonovan-vans-certificate"
NEVER_IN_A_SETTING: Final = re.compile(r"PASSWORD|SECRET|_KEY$|_URL$|^MINIO_ROOT_")
"""Variables that hold a secret, or an address with one in it."""

TOLD_BY_THE_SITE: Final = ("SONOVAN_VANS_NAMES", "SONOVAN_CONSOLE_ORIGIN")
"""Addresses, for which compose.yaml has some of its own machine: a pod does not start before a site has named them."""

Object = dict[str, Any]

WITHOUT_DISK: Final = ("retrier",)
DISKS: Final = {"broker": "500Gi", "minio": "2Ti", "database": "50Gi", "assess": "50Gi"}
_DISK: Final = "10Gi"
MOUNTED: Final = {"broker": "/var/lib/kafka/data"}
COPIES: Final = {"broker": BROKERS, "minio": DRIVES, "segment": 2, "assess": 2}
AT_ONCE: Final = frozenset({"minio"})
"""Whose pods are replaced by a person, all at once: processes of another build do not become one store."""
NEEDS: Final = {  # processor, memory, memory at most
    "broker": ("1", "2Gi", "3Gi"), "minio": ("500m", "1Gi", "2Gi"), "database": ("500m", "1Gi", "2Gi"),
    "segment": ("2", "2Gi", "4Gi"), "assess": ("1", "1Gi", "3Gi"),
}  # fmt: skip
_NEED: Final = ("250m", "512Mi", "1Gi")
PORTS: Final = {
    "broker": {"internal": 19092, "controller": 9093, "vans": 9094}, "minio": {"s3": 9000}, "database": {"sql": 5432},
    "console": {"pages": 8080},
}  # fmt: skip
REACHES: Final = {
    **{stage.value: ("broker", "minio") for stage in STAGES}, "setup": ("broker", "minio"),
    "alert": ("broker", "minio", "database"), "catalog": ("broker", "minio", "database"),
    "console": ("broker", "minio", "database"), "retrier": ("broker", "minio"),
    "broker": ("broker",), "minio": ("minio",),
}  # fmt: skip
OUTSIDE: Final = {"alert": (443, 465, 587), "console": (443,)}
"""Ports beyond the cluster: webhook and mail; the provider of logins."""

WATCHES: Final = {
    "namespaceSelector": {"matchLabels": {"sonovan-watches": "metrics"}},
    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
}
"""Who may ask for metrics: pods of Prometheus, in whatever namespace a site gives this label."""

HEAP: Final = "-Xms1g -Xmx1g"
_BOOTSTRAP: Final = ",".join(f"broker-{number}.broker:19092" for number in range(BROKERS))


def manifests() -> dict[str, str]:
    """The text of each file, by its name."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    defaults: dict[str, str] = {}
    files: dict[str, list[Object]] = {}
    for name, described in services.items():
        if name not in LEFT_OUT:
            files[f"{name}.yaml"] = _objects(name, described, defaults)
    files["network.yaml"] = [
        _deny_all(),
        *(_policy(name, described, services.keys()) for name, described in services.items() if name not in LEFT_OUT),
    ]
    scripts = {file.name: file.read_text() for file in SCRIPTS}
    files["broker-scripts.yaml"] = [_object("v1", "ConfigMap", "sonovan-broker", data=scripts)]
    files["settings.yaml"] = [_object("v1", "ConfigMap", SETTINGS, data=dict(sorted(defaults.items())))]
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "sonovan",
        "resources": ["namespace.yaml", *sorted(files)],
    }
    namespace = _object("v1", "Namespace", "sonovan")
    namespace["metadata"]["labels"] = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
    }
    told = {name: _text(objects) for name, objects in files.items()}
    return told | {"namespace.yaml": _text([namespace]), "kustomization.yaml": _text([kustomization])}


def _objects(name: str, described: Object, defaults: dict[str, str]) -> list[Object]:
    variables = _variables(name, described.get("environment") or {}, defaults)
    if name == "setup":
        pod = _pod(name, described, variables, disk=False)
        pod["restartPolicy"] = "OnFailure"
        template = {"metadata": _labelled(name), "spec": pod}
        return [_object("batch/v1", "Job", name, spec={"backoffLimit": 20, "template": template})]
    disruption = {"maxUnavailable": 1, "selector": {"matchLabels": _named(name)}}
    budget = _object("policy/v1", "PodDisruptionBudget", name, spec=disruption)
    if name in WITHOUT_DISK:
        spec: Object = {
            "replicas": 1,
            "selector": {"matchLabels": _named(name)},
            "template": {"metadata": _labelled(name), "spec": _pod(name, described, variables, disk=False)},
        }
        return [_object("apps/v1", "Deployment", name, spec=spec), budget]
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": DISKS.get(name, _DISK)}}},
    }
    spec = {
        "replicas": COPIES.get(name, 1),
        "selector": {"matchLabels": _named(name)},
        "template": {"metadata": _labelled(name), "spec": _pod(name, described, variables, disk=True)},
        "serviceName": name,
        "podManagementPolicy": "Parallel",  # brokers and drives find each other while none is ready yet
        "volumeClaimTemplates": [claim],
    }
    if name in AT_ONCE:
        spec["updateStrategy"] = {"type": "OnDelete"}
    made = _object("apps/v1", "StatefulSet", name, spec=spec)
    return [made, _service(name, described), budget, *_for_vans(name)]


def _service(name: str, described: Object) -> Object:
    """The names of the pods, those of workers that wait too, whose metrics say so; the console has one address, for
    whatever stands in front of it."""
    spec: Object = {"selector": _named(name)}
    if name != "console":
        spec |= {"clusterIP": "None", "publishNotReadyAddresses": name != "database"}
    ports = PORTS.get(name, {}) | _metrics(described)
    if ports:
        spec["ports"] = [{"name": port, "port": number} for port, number in ports.items()]
    return _object("v1", "Service", name, spec=spec)


def _for_vans(name: str) -> list[Object]:
    """Vans speak to each broker by itself, at an address of its own: SONOVAN_VANS_NAMES has them in this order."""
    if name != "broker":
        return []
    return [
        _object("v1", "Service", f"vans-{number}", spec={
            "type": "LoadBalancer", "externalTrafficPolicy": "Local",
            "selector": _named(name) | {"apps.kubernetes.io/pod-index": str(number)},
            "ports": [{"name": "vans", "port": 9094}],
        })
        for number in range(BROKERS)
    ]  # fmt: skip


def _pod(name: str, described: Object, variables: list[Object], disk: bool) -> Object:
    cpu, memory, most = NEEDS.get(name, _NEED)
    mounts: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]
    volumes: list[Object] = [{"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}]
    if disk:
        mounts.insert(0, {"name": "data", "mountPath": MOUNTED.get(name, "/data")})
    container: Object = {
        "name": name,
        "image": described["image"],
        **_command(name, described),
        "env": variables,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        **_probes(name, described),
        "volumeMounts": mounts,
    }  # fmt: skip
    ports = PORTS.get(name, {}) | _metrics(described)
    if ports:
        container["ports"] = [{"name": port, "containerPort": number} for port, number in ports.items()]
    if name == "broker":
        mounts += [
            {"name": "scripts", "mountPath": "/etc/sonovan", "readOnly": True},
            {"name": "certificate", "mountPath": "/var/lib/sonovan/certificates", "readOnly": True},
        ]
        volumes += [
            {"name": "scripts", "configMap": {"name": "sonovan-broker"}},
            {"name": "certificate", "secret": {"secretName": CERTIFICATE}},
        ]
    if name == "alert":
        mounts.append({"name": "rules", "mountPath": "/etc/sonovan", "readOnly": True})
        volumes.append({"name": "rules", "configMap": {"name": "sonovan-rules", "optional": True}})
    pod: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # its variables would begin with the names of services, and say nothing new
        "terminationGracePeriodSeconds": _seconds(described.get("stop_grace_period", "30s")),
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }  # fmt: skip
    if COPIES.get(name, 1) > 1:  # what is lost with one machine is one of them
        apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": _named(name)}}
        rule: Object = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": apart}]}
        if name in ("broker", "minio"):
            rule = {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}
        pod["affinity"] = {"podAntiAffinity": rule}
    return pod


def _command(name: str, described: Object) -> Object:
    if name == "broker":
        return {"command": ["/bin/bash", "/etc/sonovan/broker-of-three.sh"]}
    if name == "minio":
        told = described["command"]
        return {"args": [*told[:-1], f"http://minio-{{0...{DRIVES - 1}}}.minio:9000{told[-1]}"]}
    if name in {stage.value for stage in STAGES}:
        words = " ".join(["exec", "sonovan", *described["command"], "--instance", "$((POD_INDEX + 1))"])
        return {"command": ["/bin/sh", "-c", words]}
    if name == "setup":  # a topic keeps the number of copies that it was made with
        return {"args": [*described["command"], "--brokers", str(BROKERS)]}
    return {"args": described["command"]} if "command" in described else {}


def _probes(name: str, described: Object) -> Object:
    """The container's health check of compose.yaml; a worker is asked whether it is alive, and apart whether it is
    ready: one that waits for the broker is not started again for that."""
    if "healthcheck" not in described:
        return {}
    if name == "minio":
        ready: Object = {"httpGet": {"path": "/minio/health/live", "port": 9000}}
        alive = ready
    elif name == "broker":
        ready = alive = {"tcpSocket": {"port": 19092}}
    else:
        asked = described["healthcheck"]["test"][1:]
        ready = {"exec": {"command": asked}}
        alive = {"exec": {"command": [*asked[:-1], "/healthz"]}} if asked[-1] == "/readyz" else ready
    return {
        "startupProbe": {**alive, "periodSeconds": 5, "timeoutSeconds": 10, "failureThreshold": 60},
        "livenessProbe": {**alive, "periodSeconds": 20, "timeoutSeconds": 10, "failureThreshold": 6},
        "readinessProbe": {**ready, "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 2},
    }


def _variables(name: str, environment: Mapping[str, str | None], defaults: dict[str, str]) -> list[Object]:
    """What a container is told. defaults: gets what compose.yaml says where nobody said otherwise."""
    told = [one for key, value in environment.items() for one in _variable(key, value, defaults)]
    made = list({one["name"]: one for one in told}.values())
    index = {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}
    if name in {stage.value for stage in STAGES}:
        made.insert(0, {"name": "POD_INDEX", "valueFrom": index})
    if name == "broker":
        made = [one for one in made if one["name"] != "KAFKA_HEAP_OPTS"]
        made.insert(0, {"name": "KAFKA_HEAP_OPTS", "value": HEAP})
        for key in ("SONOVAN_BROKER_CONTROLLER_PASSWORD", "SONOVAN_BROKER_CLUSTER_ID"):
            made.append({"name": key, "valueFrom": {"secretKeyRef": _reference(OF_BROKERS, key, optional=False)}})
    return made


def _variable(key: str, value: str | None, defaults: dict[str, str]) -> list[Object]:
    told = "" if value is None else str(value)
    if value is None or re.fullmatch(r"\$\{\w+:\+.*\}", told):  # passed on where it is set
        return [_secret(key, optional=True) if NEVER_IN_A_SETTING.search(key) else _setting(key, optional=True)]
    if needed := re.fullmatch(r"\$\{(\w+):\?[^}]*\}", told):
        return [_secret(key, needed[1])]
    if held := re.fullmatch(r"\$\{\w+:-(.*\$\{(\w+):\?[^}]*\}.*)\}", told):  # an address with a password in it
        address = re.sub(r"\$\{\w+:\?[^}]*\}", "$(DATABASE_PASSWORD)", held[1])
        password = {**_secret("DATABASE_PASSWORD", held[2])}
        return [password, {"name": key, "value": address}]
    if default := re.fullmatch(r"\$\{(\w+):-(.*)\}", told):
        if default[1] not in TOLD_BY_THE_SITE:
            defaults[default[1]] = default[2]
        return [_setting(key, default[1])]
    return [{"name": key, "value": told.replace("broker:19092", _BOOTSTRAP)}]


def _secret(key: str, named: str | None = None, *, optional: bool = False) -> Object:
    return {"name": key, "valueFrom": {"secretKeyRef": _reference(SECRET, named or key, optional)}}


def _setting(key: str, named: str | None = None, *, optional: bool = False) -> Object:
    return {"name": key, "valueFrom": {"configMapKeyRef": _reference(SETTINGS, named or key, optional)}}


def _reference(where: str, key: str, optional: bool) -> Object:
    return {"name": where, "key": key} | ({"optional": True} if optional else {})


def _deny_all() -> Object:
    return _object("networking.k8s.io/v1", "NetworkPolicy", "nobody-speaks", spec={
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
    })  # fmt: skip


def _policy(name: str, described: Object, there: Collection[str]) -> Object:
    """Who may reach this pod, and whom it may reach; the cluster's name service in any case."""
    names = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
             "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}  # fmt: skip
    egress: list[Object] = [names]
    for other in REACHES.get(name, ()):
        if other in there:
            egress.append({"to": [_peer(other)], "ports": _open_to(name, other)})
    if name in OUTSIDE:
        egress.append({"ports": [{"protocol": "TCP", "port": port} for port in OUTSIDE[name]]})
    ingress: list[Object] = [
        {"from": [_peer(other)], "ports": _open_to(other, name)}
        for other, reached in sorted(REACHES.items())
        if name in reached and other in there
    ]
    if name == "broker":
        ingress.append({"ports": [{"protocol": "TCP", "port": 9094}]})  # vans, from anywhere: TLS and an account
    if name == "console":
        ingress.append({"ports": [{"protocol": "TCP", "port": 8080}]})
    for port in _metrics(described).values():
        ingress.append({"from": [WATCHES], "ports": [{"protocol": "TCP", "port": port}]})
    spec = {"podSelector": {"matchLabels": _named(name)}, "policyTypes": ["Ingress", "Egress"], "egress": egress}
    if ingress:
        spec["ingress"] = ingress
    return _object("networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)


def _peer(name: str) -> Object:
    return {"podSelector": {"matchLabels": _named(name)}}


def _open_to(who: str, whom: str) -> list[Object]:
    """The ports that one kind of pod has open to another: brokers alone reach each other's controllers."""
    ports = PORTS[whom]
    if whom == "broker":
        ports = {
            port: number for port, number in ports.items() if port == "internal" or (who, port) == (whom, "controller")
        }
    return [{"protocol": "TCP", "port": number} for number in ports.values()]


def _named(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def _labelled(name: str) -> Object:
    return {"labels": _named(name) | {"app.kubernetes.io/part-of": "sonovan"}}


def _object(version: str, kind: str, name: str, **parts: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **parts}


def _metrics(described: Object) -> dict[str, int]:
    """The port where a service of compose.yaml answers /metrics, by its name; empty for one that does not."""
    told = described.get("environment") or {}
    port = told.get("SONOVAN_HEALTH_PORT") or told.get("SONOVAN_CONSOLE_METRICS_PORT")
    return {} if port is None else {"metrics": int(port)}


def _seconds(told: str) -> int:
    return int(told.removesuffix("s"))


class _Dumper(yaml.SafeDumper):
    """Writes each object in full, and texts of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)
)


def _text(objects: list[Object]) -> str:
    head = "# Made from compose.yaml by `make kubernetes` (tests/deploy/manifests.py): change it there.\n"
    return head + yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


def write(folder: Path) -> None:
    """Write every file."""
    for name, text in manifests().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
