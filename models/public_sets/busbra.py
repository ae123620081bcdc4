"""BUS-BRA: `bus_data.csv`, `Images/bus_0001-l.png`, `Masks/mask_0001-l.png`; `Case` numbers the women.

`Side` says which half of a split screen a picture was, not which breast. Source: Gómez-Flores et al., Medical Physics
51 (2024), doi 10.1002/mp.16812.
"""

from functools import partial
from pathlib import Path

from sonovan.models.evaluation.pictures import read_mask
from sonovan.models.public_sets.found import Found, Layout, LeftOut, folder_within, pictures_in
from sonovan.models.public_sets.sheet import read_table

TABLE = "bus_data.csv"


def find(top: Path) -> Layout:
    """Every row of the table whose picture and mask are there; pictures that no row names are left out, too."""
    folder = folder_within(top, TABLE, "Images", "Masks")
    found: list[Found] = []
    left_out: list[LeftOut] = []
    table = read_table(folder / TABLE, ("ID", "Case", "Pathology"))
    for row in table:
        picture = folder / "Images" / f"{row['ID']}.png"
        mask = folder / "Masks" / f"mask_{row['ID'].removeprefix('bus_')}.png"
        name = f"Images/{picture.name}"
        if not picture.is_file():
            left_out.append(LeftOut(name, "no_picture", f"{TABLE} names it, and it is not there"))
        elif not mask.is_file():
            left_out.append(LeftOut(name, "no_mask", f"there is no Masks/{mask.name}"))
        else:
            about = {
                "birads": row.get("BIRADS", ""),
                "side": row.get("Side", ""),
                "histology": row.get("Histology", ""),
                "device": row.get("Device", ""),
            }
            label, patient = row["Pathology"].lower(), f"case{row['Case']}"
            found.append(Found(row["ID"], name, picture, label, patient, (partial(read_mask, mask),), (), about))
    named = {row["ID"] for row in table}
    for path in pictures_in(folder / "Images"):
        if path.stem not in named:
            left_out.append(LeftOut(f"Images/{path.name}", "not_in_table", f"{TABLE} has no row of it"))
    return Layout(tuple(found), tuple(left_out))
