"""The report's page in English: what she told, the maps and numbers."""

from typing import Final

ENGLISH_PAGE: Final = {
    "preliminary_banner": "PRELIMINARY: frames are still arriving, and this will change.",
    "slip_number": "Slip number",
    "age": "Age",
    "years": "{years} years",
    # what was amended
    "amended_because": "{amended} Reason: {reason}.",
    "reviewed_heading": "Outlined by a reader",
    "reviewed": "On {frames} the outlines are a reader's ({readers}), not the machine's. Nothing is signed by that.",
    "reader_frames": "on {frames} of {of}",
    "reader_key_frame": "; sizes are of a reader's outline",
    "promoted_heading": "Read again",
    "promoted": "Rests on the results of {model}. An earlier revision rests on those of another network ({before}).",
    "amended_side_left": "WRONG SIDE BEFORE: {sweeps}, now LEFT.",
    "amended_side_right": "WRONG SIDE BEFORE: {sweeps}, now RIGHT.",
    "amended_side_isthmus": "WRONG SIDE BEFORE: {sweeps}, now ISTHMUS.",
    "amended_woman": "AMENDED: this screening belongs to another slip than the one that was entered.",
    "amended_void": "VOID: this screening does not count, and nothing is said of its pictures.",
    "amended_consent": "CONSENT WITHDRAWN: {uses}.",
    "amended_consent_ai": (
        " Nothing is said here by a machine that looked at her pictures. This is not a negative result."
    ),
    "amended_consent_screening": " Nothing is said here of her or her pictures. This is not a negative result.",
    "marked_heading": "What the operator marked",
    "marked_frame": "THE OPERATOR MARKED frame {frame} of sweep {sweep} ({place}). No outline is drawn for it.",
    "marked_not_here": "THE OPERATOR MARKED frame {frame} of a sweep that is not here yet. No outline is drawn for it.",
    "marked_before": "THE OPERATOR MARKED something before any frame had come ({place}).",
    "use_screening": "the screening",
    "use_ai": "a machine that reads the pictures",
    "use_research": "research",
    "use_sharing": "sharing with others",
    # what she told
    "told_heading": "What the woman told before the scan",
    "told_nothing": "No clinical record has arrived: nothing is known of lumps, discharge or changes of the skin.",
    "told_not_asked": "Not asked: {terms}.",
    "told_none": "none",
    "at_age": "{text} at {years} years",
    "lump_places": "Place of the lump",
    "side_left": "left side",
    "side_right": "right side",
    "side_isthmus": "isthmus",
    "from_nipple": "{distance:.0f} mm from the nipple",
    "menarche_age_years": "Age at first period",
    "menopause_age_years": "Age at menopause",
    "parity": "Births",
    "biopsies": "Earlier biopsies",
    "family": "Relatives with cancer",
    "earlier_cancer": "Earlier cancer of her own",
    "tsh_miu_per_l": "TSH",
    "tsh": "{value:g} mIU/l",
    # maps
    "map_heading": "Where they lie",
    "map_outer": "outer",
    "map_inner": "inner",
    "map_felt": "F",
    "map_meaning": (
        "Seen from the front, her right on the left. Numbers are those of the findings, at the place that was entered "
        "for the probe or the finding. A shaded part: this direction or region; the distance from the nipple is not "
        "known. Grey: not seen well enough to be assessed."
    ),
    "map_felt_meaning": "F: a lump that she feels.",
    "map_unplaced": "place not known: {numbers}",
    "map_no_side": "Side not recorded: {numbers}",
    # comparison
    "earlier_heading": "Comparison with an earlier screening",
    "earlier_none": "Not compared here: the comparison stands where a reader signs, and on the signed page.",
    "earlier_not_signed": "Nothing was compared when this was signed.",
    "earlier_compared": "Compared with her earlier screening, {months} months before.",
    "earlier_meaning": "By software, from side, recorded place and size; a reader decides whether it is one lesion.",
    "earlier_no_lesions": "No lesion is outlined in either of them, which is not a negative result.",
    "earlier_otherwise": (
        "The earlier screening with which this was compared does not count any more, or says something else by now: "
        "the comparison is not shown."
    ),
    "earlier_unchecked": (
        "A comparison was signed. The console shows it to whoever may see both screenings, for the catalogue alone "
        "knows whether the earlier screening still counts."
    ),
    "earlier_change": "Against the earlier screening",
    "earlier_grown": "GROWN",
    "change_seen_before": "seen before",
    "change_new": "new",
    "change_not_found_again": "not found again",
    "change_undecided": "cannot be told",
    # numbers
    "place_not_known": "place not known",
    "risk": "Risk of malignancy",
    "risk_value": (
        "{share} (95 % interval {low} to {high}), calibrated on {lesions} lesions of which {malignant} were malignant: "
        "no screening population"
    ),
    "risk_shifted": (
        "{share} (95 % interval {low} to {high}, without the doubt of the shift), calibrated on {lesions} lesions of "
        "which {malignant} were malignant, then shifted to this site's own outcomes"
    ),
    "extent": "Diameters",
    "extent_transverse": "across {value}",
    "extent_depth": "deep {value}",
    "extent_length": "long {value}",
    "extent_volume": "volume {value:.1f} ml",
    "length_mm": "{value:.1f} mm",
    "not_measured": "not measured",
    "vessels": "Blood flow",
    "vessels_value": "{flow}; coloured {inside} inside, {rim} in the rim, {frames}",
    "vessels_not_examined": "not read by software, which is not “none”",
    "outline_shape": "Shape in numbers",
    "circularity": "circularity {value:.2f}",
    "solidity": "solidity {value:.2f}",
    "angularity": "angularity {value:.2f}",
    "lobulations": "bulges {value}",
    "cnr": "contrast to noise {value:.1f}",
}
