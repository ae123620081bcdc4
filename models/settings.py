"""What an operator may fix about the networks: which one, on what, in which arithmetic."""

import difflib
import os
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.models.errors import ProviderNotGiven
from sonovan.models.registry import Precision

Provider = Literal["openvino", "cpu", "cuda", "tensorrt"]


_PREFIX: Final = "SONOVAN_MODELS_"


class ModelSettings(BaseSettings):
    """`SONOVAN_MODELS_PROVIDER`, `SONOVAN_MODELS_PRECISION`, `SONOVAN_MODELS_WEIGHTS_DIR`; `auto` measures once."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True)

    provider: Provider | Literal["auto"] = "auto"
    precision: Precision | Literal["auto"] = "auto"
    weights_dir: Path | None = None


def read_settings() -> ModelSettings:
    """The settings in the environment.

    Raises ProviderNotGiven that names a variable with an impossible value, or one under SONOVAN_MODELS_ that is not
    known: a misspelt name would be ignored without a sign.
    """
    known = [f"{_PREFIX}{name}".upper() for name in ModelSettings.model_fields]
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX) and name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1) or known
            raise ProviderNotGiven(f"unknown setting {name} (did you mean {' or '.join(nearest)}?)")
    try:
        return ModelSettings()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = f"{_PREFIX}{fault['loc'][0]}".upper()
        raise ProviderNotGiven(f"setting {name}: {fault['msg']}") from None
