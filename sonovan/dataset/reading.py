"""Where the catalogue is from which an export is made: as a setting says, or in the state folder of this machine."""

from pathlib import Path

from sonovan.centre import CATALOGUE
from sonovan.contracts.errors import Transient
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Writer
from sonovan.deploy.state import StateFolder
from sonovan.state import state_path
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.dataset import read_dataset
from sonovan.storage.dataset_rows import FrameRow, ReviewRow, ScreeningRow
from sonovan.stream_apps.catalog.settings import CatalogSettings


def read_rows(state: Path | None, until_ms: int) -> tuple[list[ScreeningRow], list[FrameRow], list[ReviewRow]]:
    """The rows of the catalogue. Raises Transient where there is none, or it is away, Fatal where it is unusable."""
    database = open_database(_url(state))
    try:
        with database.writing() as connection:  # reading holds it still, so that all rows are of one moment
            return read_dataset(connection, until_ms)
    finally:
        database.close()


def _url(state: Path | None) -> str:
    given = read_settings(CatalogSettings).database_url
    if given is not None:
        return given.get_secret_value()
    path = StateFolder(state_path(state)).apps / Writer.CATALOG.value / CATALOGUE
    if not path.exists():
        raise Transient(f"there is no catalogue at {path}: `sonovan up` starts the worker that makes it")
    return f"sqlite:///{path}"
