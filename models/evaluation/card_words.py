"""What every card says in the same words: sources, splits, how to read the figures, what they do not say."""

from __future__ import annotations

from typing import Final

GENERATED: Final = """\
python -m training evaluate --data DIR --split both --sweeps 8
sonovan models evaluate --data DIR --split test"""

SOURCES: Final = {
    "busi": "Al-Dhabyani et al., *Dataset of breast ultrasound images*, Data in Brief 28:104863 (2020), "
    "doi 10.1016/j.dib.2019.104863",
    "busbra": "Gómez-Flores et al., *BUS-BRA*, Medical Physics 51 (2024), doi 10.1002/mp.16812",
    "breast": "Pawłowska et al., *BrEaST*, Scientific Data 11:148 (2024), The Cancer Imaging Archive, CC BY 4.0",
    "ddti": "Pedraza et al., *An open access thyroid ultrasound-image database*, Proc. SPIE 9287:92870W (2015), "
    "doi 10.1117/12.2073532",
    "gland": "frames of TG3K, Gong et al. (2021–2023), research and education only",
    "other": "nerves and vessels of usgra-seg, CC BY 4.0; muscle of TimTrack, van der Zee and Kuo (2021), CC0 and "
    "CC BY 4.0",
}

ENCODERS: Final = {
    "lite0": "EfficientNet-Lite0 encoder (ImageNet weights) with a U-Net decoder",
    "lite2": "EfficientNet-Lite2 encoder (ImageNet weights) with a U-Net decoder",
}

GATHERED: Final = """\
No picture of these sets is part of this repository. Research and education only; cite the sources. To them come frames
of the simulator in `models/phantom/sweep.py`, about a tenth of each epoch."""

SPLITS: Final = """\
Split by group (a woman, near-duplicates, neighbouring frames): `int(sha256("set/group"), 16) % 10`, 0 test,
1 validation, the rest training; `gland`: block1 and block9 test, block5 validation. Epoch and threshold were chosen on
validation alone."""

READING: Final = """\
Dice, IoU and HD95 over pictures with a lesion, at the pictures' own size; a miss or a refused picture counts 0 in Dice
and IoU and not at all in HD95. Sensitivity: lesions that a region was matched with, one to one, at IoU ≥ .1;
false/picture: regions matched with none. Normals empty: pictures with nothing to find, assessed, no region. AUC:
malignant against benign by the highest region score. Refused: judged not assessable. 95 % intervals by bootstrap over
groups, 2,000 draws; `(?)` where nobody names groups."""

LIMITS: Final = """\
- Not a medical device, not validated on any woman prospectively. Research and education only, as the data's terms say.
- Every picture is a still that somebody chose because of its lesion; what the network does with sweeps of healthy
  tissue is known only from simulated sweeps, from `busi` normals and from `gland` frames.
- BUSI carries no patient ids: its groups are near-duplicates found by likeness; a woman may still stand on both sides.
- The loss on `busi` lies in few lesions that are missed or outlined wrongly as a whole: see the median beside the mean.
- DDTI's outlines are lossy and one picture can hold two views; `gland` was stretched to a square.
- Callipers, rulers and text that are burned into training pictures may steer the network.
- Each output was trained on its own organ alone: what the breast output says about a neck means nothing.
- Simulated frames (about a tenth of each epoch) come from the simulator that also makes the sweeps of the figures, with
  other seeds: finding them says that the path works, nothing about women."""
