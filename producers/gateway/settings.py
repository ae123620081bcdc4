"""What the listener is told: `van.toml` in the van's folder, or another file.

ae_title = "SONOVAN"
address = "192.168.7.1"
port = 11112
metrics_port = 9464

[[scanner]]
ae_title = "LOGIQE9"
address = "192.168.7.20"
port = 104

[tls]
certificate = "gateway.pem"
key = "gateway.key"
clients = "scanners.pem"

[page]
port = 11180
consent_text = "v3"
site = "site-1"

[[folder]]
path = "/srv/scanner"
settle_s = 10.0
after = "delete"

[[capture]]
device = "/dev/video0"
picture = [120, 60, 1024, 768]
depth_mm = 40

[link] is of the uploader: `sonovan.producers.link`.
"""

import ipaddress
import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import Part
from sonovan.contracts.van import FINEST_MM, LONGEST_SIDE
from sonovan.contracts.words import ConsentText, SiteCode
from sonovan.producers.link import LinkOptions
from sonovan.producers.sources.calibration import Calibration
from sonovan.producers.sources.origin import Address, Device, Origin

VAN_FILE: Final = "van.toml"
_ORDER: Final = "; ae_title, address and port of the van itself stand above the first line in [brackets]"


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


AeTitle = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_-]{1,16}$")]
"""An application entity title: PS3.5 takes more signs; those that every scanner's keyboard has are taken here."""
HostAddress = Annotated[str, AfterValidator(_address)]
Pixel = Annotated[int, Field(ge=0, le=LONGEST_SIDE)]
Side = Annotated[int, Field(ge=32, le=LONGEST_SIDE)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class ScannerEntry(Part):
    """A scanner that may send. port: where it answers to an association of its own, for storage commitment."""

    ae_title: AeTitle
    address: HostAddress
    port: Port | None = None


class TlsFiles(Part):
    """PEM files; relative ones lie beside van.toml. clients: authorities of the scanners' certificates; None: any."""

    certificate: Path
    key: Path
    clients: Path | None = None


class PageOptions(Part):
    """The operator's page; it is served to this machine alone. consent_text: the edition of the text that women sign.

    site: the site's number, for every visit that is registered there. operator_required: whether somebody must say who
    scans, by a code of the site, before a sweep is recorded or a screening is closed. preview: whether this laptop
    looks at the newest frame while somebody scans (`sonovan.producers.gateway.preview`).
    """

    port: Port = 11_180
    consent_text: ConsentText | None = None
    site: SiteCode = "site-1"
    operator_required: bool = False
    preview: bool = True


class FolderOptions(Part):
    """A folder whose files are taken as objects; a relative one lies beside van.toml.

    settle_s: so long a file must stay as it is. after: what becomes of it once it is durable. name: what lines and the
    tray call it, in the place of a scanner's title.
    """

    path: Path
    settle_s: float = Field(default=5.0, ge=0, le=3600)
    after: Literal["keep", "delete"] = "keep"
    name: AeTitle = "FOLDER"


class CaptureEntry(Part):
    """A scanner's video output; one of device, address and file says where it comes in, and file is for trying out.

    picture: left, top, width, height of the ultrasound in it. spacing_mm: of a pixel; depth_mm: of the picture's
    height, as the scanner shows it. The operator may say both anew for each sweep. ruler: whether the ruler in the
    picture is read and holds where nobody says a scale; tick_mm: what is between two of its ticks.
    """

    name: AeTitle = "CAPTURE"
    device: Annotated[str, StringConstraints(pattern=r"^/dev/[A-Za-z0-9/_.:-]{1,200}$")] | None = None
    address: Annotated[str, StringConstraints(pattern=r"^(rtsp|rtsps|http|https)://[!-~]{1,500}$")] | None = None
    file: Path | None = None
    picture: tuple[Pixel, Pixel, Side, Side] | None = None
    spacing_mm: float | None = Field(default=None, ge=FINEST_MM, le=100)
    depth_mm: float | None = Field(default=None, gt=0, le=500)
    ruler: bool = True
    tick_mm: float | None = Field(default=None, gt=0, le=100)

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        if sum(each is not None for each in (self.device, self.address, self.file)) != 1:
            raise ValueError("say one of device, address and file")
        if self.depth_mm is not None and self.picture is None:
            raise ValueError("a depth needs the picture that it is the depth of")
        return self

    @property
    def origin(self) -> Origin:
        """Where it comes in."""
        if self.device is not None:
            return Device(self.device)
        return Address(self.address) if self.address is not None else Path(self.file or "")

    def calibration(self, spacing_mm: float | None = None, depth_mm: float | None = None) -> Calibration:
        """The scale, as the operator says it now, else as it stands here. Raises InvalidRecord `option_invalid`."""
        if spacing_mm is None and depth_mm is None:
            return Calibration(self.picture, self.spacing_mm, self.depth_mm, self.ruler, self.tick_mm)
        if spacing_mm is not None and not FINEST_MM <= spacing_mm <= 100:
            raise InvalidRecord("option_invalid", f"--pixel-spacing-mm: say at least {FINEST_MM}, at most 100")
        if depth_mm is not None and (self.picture is None or not 0 < depth_mm <= 500):
            message = "--depth-mm: say at most 500, and the picture's place in van.toml ([[capture]] picture)"
            raise InvalidRecord("option_invalid", message)
        return Calibration(self.picture, spacing_mm, depth_mm, self.ruler, self.tick_mm)


class ListenerOptions(Part):
    """Where the listener listens, and to whom. Without scanners it listens to this machine alone. port 0: any free.

    metrics_port: where the van's metrics answer on this machine (`sonovan.producers.measured`); None: nowhere.
    """

    ae_title: AeTitle = "SONOVAN"
    address: HostAddress = "127.0.0.1"
    port: Port = 11_112
    metrics_port: Port | None = None
    scanner: tuple[ScannerEntry, ...] = Field(default=(), max_length=32)
    tls: TlsFiles | None = None
    page: PageOptions = PageOptions()
    associations: int = Field(default=8, ge=1, le=64)
    link: LinkOptions = LinkOptions()
    folder: tuple[FolderOptions, ...] = Field(default=(), max_length=8)
    capture: tuple[CaptureEntry, ...] = Field(default=(), max_length=8)

    @property
    def on_this_machine(self) -> bool:
        """Whether only programs of this machine can reach it."""
        return ipaddress.ip_address(self.address).is_loopback

    def knows(self, address: str) -> bool:
        """Whether some scanner may send from this address."""
        if not self.scanner:
            return ipaddress.ip_address(address).is_loopback
        return any(each.address == _address(address) for each in self.scanner)

    def allows(self, ae_title: str, address: str) -> bool:
        """Whether a scanner of this title may send from this address."""
        if not self.scanner:
            return self.knows(address)
        return any((each.ae_title, each.address) == (ae_title, _address(address)) for each in self.scanner)

    def port_of(self, ae_title: str) -> tuple[str, int] | None:
        """Where a scanner answers; None where that is not known."""
        return next(((e.address, e.port) for e in self.scanner if e.ae_title == ae_title and e.port), None)


def read_options(folder: Path, file: Path | None) -> ListenerOptions:
    """What the file says; without one the defaults. folder: the van's, whose van.toml is taken where it has one.

    Raises InvalidRecord `option_invalid` for a file that cannot be used, naming the setting.
    """
    path = file or folder / VAN_FILE
    if file is None and not path.exists():
        return ListenerOptions()
    try:
        with path.open("rb") as stream:
            options = ListenerOptions.model_validate(tomllib.load(stream))
    except OSError as error:
        raise InvalidRecord("option_invalid", f"cannot read {path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidRecord("option_invalid", f"{path} is no TOML: {error}{_ORDER}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        of_no_section = first["loc"][-1] in ListenerOptions.model_fields and len(first["loc"]) > 1
        hint = _ORDER if of_no_section else ""
        raise InvalidRecord("option_invalid", f"{path}: {where}: {first['msg']}{hint}") from None
    if not options.scanner and not options.on_this_machine:
        message = f"{path}: scanner: say who may send ([[scanner]] with ae_title and address), or listen on 127.0.0.1"
        raise InvalidRecord("option_invalid", message)
    return options


def tls_context(tls: TlsFiles, folder: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer (PS3.15 B.12, BCP 195). folder: where relative files lie.

    Raises InvalidRecord `option_invalid` where a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / tls.certificate, folder / tls.key)
        if tls.clients is not None:
            context.load_verify_locations(folder / tls.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise InvalidRecord("option_invalid", f"[tls]: a file cannot be used ({error})") from None
    return context
