"""Every coded word that a record may hold: the reporting lexicons, places, views, symptoms and the clinical record.

A word has the spelling that travels and, where a standard has one, its code. `sonovan.reports.phrases` has every
word in every language. Codes are those of DICOM PS3.16 (`DCM`: context groups 6151 to 6155) and SNOMED CT (`SCT`:
context groups 6004, 6006, 6018, 6020, 6022, 6055, 6056, 6086); a test looks each up in pydicom's dictionaries. No
standard has codes for TI-RADS.

Words: ACR BI-RADS Atlas, 5th ed. (2013), ultrasound; ACR TI-RADS, Tessler et al., J Am Coll Radiol 14:587 (2017);
C-TIRADS, Zhou et al., Endocrine 70:256 (2020). A word that `covers` others is what a network gives that cannot tell
them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, get_args

Organ = Literal["breast", "thyroid"]
Side = Literal["left", "right", "isthmus"]
View = Literal["transverse", "longitudinal", "radial", "antiradial", "oblique", "sweep"]
Position = Literal[
    "1h", "2h", "3h", "4h", "5h", "6h", "7h", "8h", "9h", "10h", "11h", "12h",
    "upper_outer", "upper_inner", "lower_outer", "lower_inner", "central", "subareolar", "axillary_tail", "axilla",
    "upper", "middle", "lower",
]  # fmt: skip
"""Where the probe was held: of a breast the hour on its clock face, the quadrant or a named region; of a thyroid lobe
its upper, middle or lower third."""

Scheme = Literal["BI-RADS", "TI-RADS", "C-TIRADS"]
BiRadsEdition = Literal["2013", "v2025"]
"""The lexicon of the breast: the Atlas's 5th edition, or the manual of 2025."""
SCHEMES: Final[Mapping[Organ, tuple[Scheme, ...]]] = MappingProxyType(
    {"breast": ("BI-RADS",), "thyroid": ("TI-RADS", "C-TIRADS")}
)
"""The schemes by which a finding of each organ is categorised."""
CATEGORIES: Final[Mapping[Scheme, tuple[str, ...]]] = MappingProxyType(
    {
        "BI-RADS": ("0", "1", "2", "3", "4A", "4B", "4C", "5", "6"),
        "TI-RADS": ("TR1", "TR2", "TR3", "TR4", "TR5"),
        "C-TIRADS": ("1", "2", "3", "4A", "4B", "4C", "5", "6"),
    }
)
"""The final categories of each scheme, in its own order."""

LEAST_WORRISOME_FIRST: Final[Mapping[Scheme, tuple[str, ...]]] = MappingProxyType(
    {**CATEGORIES, "BI-RADS": ("1", "2", "3", "6", "0", "4A", "4B", "4C", "5")}
)
"""The categories in the order in which they decide: an incomplete breast stands below a suspicious lesion. Source: ACR
BI-RADS Atlas, 5th ed."""

Sex = Literal["female", "male", "other"]
Symptom = Literal[
    "lump", "breast_pain", "nipple_discharge", "bloody_nipple_discharge", "nipple_retraction", "skin_retraction",
    "skin_thickening", "peau_d_orange", "erythema", "nipple_eczema", "skin_ulcer", "axillary_lump", "neck_lump",
    "neck_pain", "voice_change", "dysphagia", "dyspnoea",
]  # fmt: skip
WhichSide = Literal["left", "right", "both", "none"]
Discharge = Literal[
    "bloody", "serous", "milky", "purulent", "coloured", "one_duct", "several_ducts", "spontaneous", "on_pressure",
]  # fmt: skip
"""What nipple discharge is like: its look, from how many ducts, and whether it comes by itself."""
Menopause = Literal["pre", "peri", "post"]
Hormones = Literal["contraceptive", "menopausal_therapy", "fertility_treatment", "anti_oestrogen", "thyroid_hormone"]
Brca = Literal["brca1", "brca2", "uncertain_variant", "negative", "not_tested"]
NeckRadiation = Literal["in_childhood", "as_adult", "none"]
Cancer = Literal["breast", "ovary", "thyroid", "other"]
Degree = Literal["first", "second", "further"]
"""Of kin: first are parents, sisters, brothers and children."""
BiopsyResult = Literal["benign", "atypical", "malignant", "not_known"]

BloodFlow = Literal["none", "internal", "rim", "internal_and_rim"]
"""Colour in and around a lesion on Doppler frames; where none was taken, nothing is said."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a standard, with its meaning there."""

    scheme: Literal["DCM", "SCT"]
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is described, and the words for it.

    organ: None where it belongs to no organ. code: of the term itself. codes: by word. covers: by word, the words of
    the lexicon that it stands for where a network cannot tell them apart. suspicious: the words that speak for
    malignancy, the most suspicious first.
    """

    name: str
    words: tuple[str, ...]
    organ: Organ | None = None
    code: Code | None = None
    codes: Mapping[str, Code] = field(default_factory=dict)
    covers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    suspicious: tuple[str, ...] = ()


def _dcm(**codes: tuple[str, str]) -> dict[str, Code]:
    return {word: Code("DCM", value, meaning) for word, (value, meaning) in codes.items()}


def _sct(**codes: tuple[str, str]) -> dict[str, Code]:
    return {word: Code("SCT", value, meaning) for word, (value, meaning) in codes.items()}


_YES_NO: Final = ("no", "yes")

BREAST: Final = (
    Term(
        "tissue_composition",
        ("homogeneous_fat", "homogeneous_fibroglandular", "heterogeneous"),
        "breast",
        Code("DCM", "111350", "Breast background echotexture"),
        _dcm(
            homogeneous_fat=("111351", "Homogeneous fat echotexture"),
            homogeneous_fibroglandular=("111352", "Homogeneous fibroglandular echotexture"),
            heterogeneous=("111353", "Heterogeneous echotexture"),
        ),
    ),
    Term(
        "shape",
        ("oval", "round", "irregular", "oval_or_round"),
        "breast",
        codes=_sct(
            oval=("84360004", "Ovoid shape (Oval)"),
            round=("42700002", "Round shape"),
            irregular=("49608001", "Irregular"),
        ),
        covers={"oval_or_round": ("oval", "round")},
        suspicious=("irregular",),
    ),
    Term(
        "orientation",
        ("parallel", "not_parallel"),
        "breast",
        Code("DCM", "111354", "Orientation"),
        _dcm(parallel=("111355", "Parallel"), not_parallel=("111356", "Not parallel")),
        suspicious=("not_parallel",),
    ),
    Term(
        "margin",
        ("circumscribed", "indistinct", "angular", "microlobulated", "spiculated", "not_circumscribed"),
        "breast",
        codes=_sct(
            circumscribed=("129738007", "Circumscribed lesion"),
            indistinct=("129741003", "Indistinct lesion"),
            microlobulated=("129739004", "Microlobulated lesion"),
            spiculated=("129742005", "Spiculated lesion"),
        )
        | _dcm(angular=("111343", "Angular margins")),
        covers={"not_circumscribed": ("indistinct", "angular", "microlobulated", "spiculated")},
        suspicious=("spiculated", "angular", "microlobulated", "indistinct", "not_circumscribed"),
    ),
    Term(
        "echo_pattern",
        (
            "anechoic", "hyperechoic", "complex_cystic_and_solid", "hypoechoic", "isoechoic", "heterogeneous",
            "iso_or_hyperechoic",
        ),
        "breast",
        Code("DCM", "111360", "Echo pattern"),
        _dcm(
            anechoic=("111361", "Anechoic"),
            hyperechoic=("111362", "Hyperechoic"),
            complex_cystic_and_solid=("111363", "Complex"),
            hypoechoic=("111364", "Hypoechoic"),
            isoechoic=("111365", "Isoechoic"),
        ),
        {"iso_or_hyperechoic": ("isoechoic", "hyperechoic")},
        suspicious=("complex_cystic_and_solid",),
    ),
    Term(
        "posterior_features",
        ("none", "enhancement", "shadowing", "combined"),
        "breast",
        Code("DCM", "111366", "Posterior acoustic features"),
        _dcm(
            none=("111367", "No posterior acoustic features"),
            enhancement=("111368", "Posterior enhancement"),
            shadowing=("111369", "Posterior shadowing"),
            combined=("111370", "Combined posterior enhancement and shadowing"),
        ),
    ),
    Term("halo", _YES_NO, "breast", Code("DCM", "111359", "Echogenic halo"), suspicious=("yes",)),
    Term("calcifications", ("no", "yes", "in_mass", "outside_mass", "intraductal"), "breast",
         covers={"yes": ("in_mass", "outside_mass", "intraductal")},
         suspicious=("in_mass", "intraductal", "outside_mass", "yes")),
    Term("architectural_distortion", _YES_NO, "breast",
         Code("SCT", "129792006", "Architectural distortion of breast"), suspicious=("yes",)),
    Term("duct_changes", _YES_NO, "breast", suspicious=("yes",)),
    Term("skin_thickening", _YES_NO, "breast", Code("SCT", "129797000", "Skin thickening of breast"),
         suspicious=("yes",)),
    Term("skin_retraction", _YES_NO, "breast", Code("SCT", "129796009", "Skin retraction of breast"),
         suspicious=("yes",)),
    Term("oedema", _YES_NO, "breast", Code("SCT", "79654002", "Edema"), suspicious=("yes",)),
    Term("blood_flow", get_args(BloodFlow), "breast"),
)  # fmt: skip
"""BI-RADS ultrasound; `halo` is the lesion boundary of its 4th edition, which the data sets still name.

Suspicious is what part of a lesion shows and makes it suspicious, however benign the rest looks. Posterior features are
not among them: shadows also fall from the edges of benign lesions."""

THYROID: Final = (
    Term(
        "composition",
        ("cystic", "spongiform", "mixed", "solid", "cystic_or_mixed", "undeterminable"),
        "thyroid",
        covers={"cystic_or_mixed": ("cystic", "mixed")},
    ),
    Term(
        "echogenicity",
        ("anechoic", "hyperechoic", "isoechoic", "hypoechoic", "very_hypoechoic", "markedly_hypoechoic",
         "hyper_or_isoechoic", "undeterminable"),
        "thyroid",
        covers={"hyper_or_isoechoic": ("hyperechoic", "isoechoic"), "markedly_hypoechoic": ("very_hypoechoic",)},
        suspicious=("very_hypoechoic", "markedly_hypoechoic"),
    ),
    Term("shape", ("wider_than_tall", "taller_than_wide"), "thyroid", suspicious=("taller_than_wide",)),
    Term(
        "margin",
        ("smooth", "ill_defined", "lobulated", "irregular", "extrathyroidal_extension", "lobulated_or_irregular",
         "undeterminable"),
        "thyroid",
        covers={"lobulated_or_irregular": ("lobulated", "irregular")},
        suspicious=("extrathyroidal_extension", "irregular", "lobulated", "lobulated_or_irregular", "ill_defined"),
    ),
    Term(
        "echogenic_foci",
        ("none", "large_comet_tail", "macrocalcifications", "peripheral_calcifications", "punctate_echogenic_foci"),
        "thyroid",
        suspicious=("punctate_echogenic_foci", "peripheral_calcifications", "macrocalcifications"),
    ),
    Term("calcifications", ("none", "macrocalcification", "microcalcification"), "thyroid",
         suspicious=("microcalcification", "macrocalcification")),
    Term("blood_flow", get_args(BloodFlow), "thyroid"),
)  # fmt: skip
"""ACR TI-RADS; `markedly_hypoechoic` and `calcifications` with `microcalcification` are the words of C-TIRADS.

Suspicious as in `BREAST`: what adds points in either scheme where one part of a nodule shows it. `solid` adds points
too, yet is no such word: a mixed nodule looks solid wherever the cut misses its fluid. `undeterminable` is
what a reader enters who looked and could not tell."""

DESCRIPTORS: Final[Mapping[Organ, Mapping[str, Term]]] = MappingProxyType(
    {
        "breast": MappingProxyType({term.name: term for term in BREAST}),
        "thyroid": MappingProxyType({term.name: term for term in THYROID}),
    }
)
"""What a lesion or a breast looks like: by organ and the term's name."""

PLACES: Final = (
    Term("organ", get_args(Organ), codes=_sct(breast=("76752008", "Breast"), thyroid=("69748006", "Thyroid"))),
    Term("side", ("left", "right"), "breast",
         codes=_sct(left=("80248007", "Left breast"), right=("73056007", "Right breast"))),
    Term("side", get_args(Side), "thyroid",
         codes=_sct(left=("79163004", "Left lobe of thyroid"), right=("29565003", "Right lobe of thyroid"),
                    isthmus=("40867004", "Thyroid isthmus"))),
    Term("position", get_args(Position), codes=_sct(
        upper_outer=("76365002", "Upper outer quadrant of breast"),
        upper_inner=("77831004", "Upper inner quadrant of breast"),
        lower_outer=("33564002", "Lower outer quadrant of breast"),
        lower_inner=("19100000", "Lower inner quadrant of breast"),
        central=("129786000", "Central region of breast"),
        subareolar=("129784002", "Subareolar region"),
        axillary_tail=("129785001", "Axillary tail region"),
        axilla=("129791004", "Axilla region"),
    ) | {f"{hour}h": Code("SCT", value, f"{hour} o'clock position") for hour, value in enumerate((
        "129772004", "129773009", "129774003", "129775002", "129776001", "129777005", "129778000", "129779008",
        "129780006", "129781005", "129782003", "129783008"), start=1)}),
    Term("view", get_args(View)),
)  # fmt: skip

CLINICAL: Final = (
    Term("sex", get_args(Sex)),
    Term("symptoms", get_args(Symptom), codes=_sct(
        lump=("89164003", "Breast lump"), breast_pain=("53430007", "Breast pain"),
        nipple_discharge=("162164007", "Nipple discharge symptom"),
        bloody_nipple_discharge=("290113009", "Bloody nipple discharge"),
        nipple_retraction=("271955004", "Nipple retraction"),
        skin_retraction=("129796009", "Skin retraction of breast"),
        skin_thickening=("129797000", "Skin thickening of breast"),
        peau_d_orange=("87386002", "Peau d'orange surface of breast"), erythema=("247441003", "Erythema"),
    )),
    Term("palpable_lump", get_args(WhichSide)),
    Term("nipple_discharge", get_args(WhichSide)),
    Term("discharge", get_args(Discharge)),
    Term("skin_or_nipple_change", get_args(WhichSide)),
    Term("hormones", get_args(Hormones)),
    Term("brca", get_args(Brca)),
    Term("neck_radiation", get_args(NeckRadiation)),
    Term("cancer", get_args(Cancer)),
    Term("degree", get_args(Degree)),
    Term("result", get_args(BiopsyResult)),
    Term("menopause", get_args(Menopause), codes=_sct(
        pre=("309606002", "Before menopause"), peri=("303111005", "During menopause"),
        post=("307429007", "After menopause"))),
)  # fmt: skip
"""The coded fields of `features.recorded` and of its parts, each named as the field is."""

TERMS: Final = (*BREAST, *THYROID, *PLACES, *CLINICAL)


def sides_of(organ: Organ) -> tuple[Side, ...]:
    """The sides that an organ has."""
    return ("left", "right", "isthmus") if organ == "thyroid" else ("left", "right")
