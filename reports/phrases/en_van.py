"""The page of the van's operator in English."""

from typing import Final

ENGLISH_VAN: Final = {
    "title": "Van",
    "other_language": "中文",
    "leave": "Log out",
    "nav_register": "Register",
    "nav_live": "Scan",
    "nav_held": "Held",
    "nav_tray": "Tray",
    "nav_lights": "Lights",
    "nav_amend": "Amend",
    # entering
    "enter_title": "Open the page of this van",
    "enter_code": "Code",
    "enter_hint": "The code stands in the window of “sonovan van serve”, or type: sonovan van page",
    "enter_go": "Open",
    "enter_wrong": "This code does not hold. Each is good for one browser: take the newest.",
    # registering
    "register_title": "Register",
    "register_who": "Who",
    "register_slip": "Slip number",
    "register_person": "Person id (site's own)",
    "register_person_hint": "The id becomes a key that tells nothing of her. It stays sealed on this van.",
    "register_consent": "She agrees to",
    "register_consent_text": "Text of consent: {version}",
    "register_plan": "To be scanned",
    "register_detail_side": "each side as a whole",
    "register_detail_regions": "each side by its regions",
    "register_lump": "A lump that she feels",
    "register_lump_hint": "Tick where she feels it: each place becomes one to be ticked off. Seen from the front.",
    "register_signs": "Signs",
    "register_history": "History",
    "register_go": "Register and show the slip",
    "register_expected": "Expected: {count}",
    "asked_none": "asked: none",
    "not_asked": "not asked",
    "part_cancer": "cancer of",
    "part_degree": "kin",
    "part_age_years": "at age",
    "part_organ": "organ",
    "part_side": "side",
    "part_result": "result",
    "slip_print": "Print",
    "slip_next": "Register the next one",
    "slip_planned": "To be scanned",
    "slip_hint": "The code holds the slip number and nothing else. At the scanner she stands in the worklist under it.",
    # what was refused
    "error_slip_wrong": "The slip number is mistyped: its check character does not fit.",
    "error_slip_taken": "This slip number is taken by somebody who is expected.",
    "error_person_wrong": "The person id cannot be used.",
    "error_registered_before": "This person is registered today already, with slip {slip}.",
    "error_consent_missing": (
        "Nothing may be scanned here: she must agree to the screening, and to a machine that reads the pictures."
    ),
    "error_consent_text_missing": (
        "It is not known which text of consent is used: write consent_text under [page] in van.toml, then start again."
    ),
    "error_plan_empty": "Tick at least one side that is to be scanned.",
    "error_too_many_lumps": "Mark at most {most} places.",
    "error_clinical_wrong": "Look at these answers again: {fields}.",
    "error_unknown": "There is no such thing on this van (any more).",
    "error_not_done": "Nothing was done: {detail}",
    "error_not_now": "Not now, nothing is lost: {detail}",
    "error_broken": "Stop, and have this looked at: {detail}",
}
