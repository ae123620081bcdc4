"""What an operator may fix about the networks: which one, on what, in which arithmetic."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.models.errors import ProviderNotGiven
from sonovan.models.registry import Precision

Provider = Literal["openvino", "cpu", "cuda", "tensorrt"]


class ModelSettings(BaseSettings):
    """`SONOVAN_MODELS_PROVIDER`, `SONOVAN_MODELS_PRECISION`, `SONOVAN_MODELS_WEIGHTS_DIR`; `auto` measures once."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_MODELS_", frozen=True)

    provider: Provider | Literal["auto"] = "auto"
    precision: Precision | Literal["auto"] = "auto"
    weights_dir: Path | None = None


def read_settings() -> ModelSettings:
    """The settings in the environment. Raises ProviderNotGiven that names a variable with an impossible value."""
    try:
        return ModelSettings()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = f"SONOVAN_MODELS_{fault['loc'][0]}".upper()
        raise ProviderNotGiven(f"setting {name}: {fault['msg']}") from None
