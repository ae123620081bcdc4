"""`sonovan models calibrate`: a site's own outcomes move the intercept of every risk."""

import csv
import json
from pathlib import Path
from typing import Annotated

import typer

from sonovan.clinical.risk import Z95, shift_of
from sonovan.contracts.derivation import USUAL
from sonovan.contracts.errors import InvalidRecord

COLUMNS = ("malignant", "outcome")
OUTCOMES = {"malignant": True, "benign": False}


def calibrate(
    outcomes: Annotated[
        Path,
        typer.Argument(
            help="Table with the columns malignant (the finding's score, 0 to 1) and outcome (malignant, benign)."
        ),
    ],
    calibration: Annotated[str, typer.Option(help="The calibration that is refitted.")] = USUAL.calibration,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Refit the intercept of the risk on outcomes of the site's own findings, and print the setting to use."""
    scores, truth = _read(outcomes)
    try:
        shift, error = shift_of(scores, truth, calibration)
    except ValueError as problem:
        raise InvalidRecord("option_invalid", f"{outcomes}: {problem}") from None
    name = "SONOVAN_PROGRAMME_CALIBRATION_SHIFT"
    if as_json:
        found = {"calibration": calibration, "shift": round(shift, 3), "standard_error": round(error, 3)}
        typer.echo(json.dumps(found | {"outcomes": len(truth), "malignant": sum(truth), "setting": name}))
        return
    typer.echo(f"{name}={shift:.3f}")
    typer.echo(
        f"95 % {shift - Z95 * error:.2f} to {shift + Z95 * error:.2f}; {len(truth)} outcomes, {sum(truth)} malignant"
    )


def _read(path: Path) -> tuple[list[float], list[bool]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file))
    except OSError as error:
        raise InvalidRecord("not_found", f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise InvalidRecord("option_invalid", f"{path} is no table in UTF-8") from None
    scores, truth = [], []
    for number, line in enumerate(lines, start=2):
        try:
            score, outcome = float(line[COLUMNS[0]]), OUTCOMES[line[COLUMNS[1]].strip()]
        except (KeyError, ValueError, TypeError, AttributeError):
            raise InvalidRecord("option_invalid", f"{path}: line {number} has no {' and '.join(COLUMNS)}") from None
        if not 0 <= score <= 1:
            raise InvalidRecord("option_invalid", f"{path}: line {number}: a score lies between 0 and 1")
        scores.append(score)
        truth.append(outcome)
    return scores, truth
