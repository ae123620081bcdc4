"""The page of quality in English."""

from typing import Final

ENGLISH_QUALITY: Final = {
    "this_language": "English",
    "quality_heading": "Is it still right?",
    "quality_made": "Made on {moment} from {records} records of quality.measured, the newest of {newest}.",
    "quality_meaning": (
        "This page speaks of networks, vans and scanners, and of no woman. It says whether outlines are where readers "
        "draw them, and not whether a lesion is malignant. Each mark of a plot leads to its row."
    ),
    "agreement_heading": "Outlines against those that readers drew blind",
    "agreement_meaning": (
        "Only readers who had not seen the machine's outline count. A filled dot: enough screenings to tell a mean .05 "
        "below its bound, with a power of .8; an open dot says nothing yet. Lines are 95 % intervals, drawing whole "
        "screenings. The newest 200 screenings count."
    ),
    "agreement_none": "No reader has drawn a frame blind yet, so that nobody knows whether outlines are right.",
    "mean_dice_title": "Mean Dice",
    "mean_iou_title": "Mean IoU",
    "bound": "at least {value:.2f}",
    "verdict_too_few": "too few: {screenings} of {needed}",
    "verdict_met": "as asked for",
    "verdict_unclear": "not certain either way",
    "verdict_missed": "less than asked for",
    "column_of": "Of",
    "column_screenings": "Screenings",
    "column_needed": "Screenings / needed",
    "column_frames": "Frames",
    "column_verdict": "Verdict",
    "column_predicted": "Predicted minus measured Dice (frames)",
    "column_ranks": "Correlation of ranks",
    "column_empty": "Outlined where readers saw nothing",
    "column_time": "As of",
    "rows_from": "The rows:",
    "drift_heading": "Do screenings look as they did before?",
    "drift_meaning": (
        "Of each scanner on each van a hundred screenings in a row are a window; the first four are its reference. "
        "Each later window is compared once (Kolmogorov and Smirnov, at most 1 % of windows of a plain stream are "
        "called drifted; screenings of one day count for as much less as days differ in the reference). "
        "A point is a window's median, the band the middle half of the reference, red a drift."
    ),
    "drift_none": "No window of screenings is full yet.",
    "drift_more": "{number} more scanners on vans are not shown, none of which drifts more than these.",
    "standing_reference": "reference: window {number}",
    "standing_alike": "as before",
    "standing_drift": "drifted: {features}",
    "windows_heading": "Windows",
    "window_title": "Window {number}: {value:.4g}",
    "window_reference": "part of the reference",
    "column_window": "Window",
    "column_feature": "Feature",
    "column_median": "Median",
    "column_reference": "Reference (middle half)",
    "column_distance": "Distance / bound",
    "feature_brightness": "Brightness",
    "feature_sharpness": "Sharpness (speckle)",
    "feature_refused": "Share refused",
    "feature_regions": "Outlines per frame",
    "feature_region_size": "Size of outline",
    "feature_score": "Score of outline",
    "feature_predicted": "Predicted Dice",
    "flags_heading": "Frames to look at",
    "flags_meaning": (
        "Frames of which the network expects little, and screenings unlike next to all of the reference; at most 20 a "
        "day of one scanner on one van. Draw them blind: nothing is wrong with most of them."
    ),
    "flags_none": "None was flagged.",
    "flags_more": "{number} earlier ones are not shown.",
    "flags_by_day": "Flagged, by day",
    "flag_predicted_low": "little is expected of its outline",
    "flag_outside_reference": "{feature}: outside the reference's central 99.5 %",
    "column_frame": "Frame",
    "column_why": "Why",
    "column_figure": "Figure",
    "work_heading": "How vans screen",
    "work_meaning": (
        "Coverage: of the planned regions those that were scanned at all. Adequacy: those that were seen well "
        "enough, by the pictures alone or by the operator's word too. Time: from the first to the last frame of each "
        "sweep, of one side. Rescans: sweeps of a view and position beyond the first."
    ),
    "work_no_catalogue": "Not shown: the catalogue could not be asked.",
    "work_none": "The catalogue has no screening yet.",
    "operators_heading": "How operators screen",
    "operators_meaning": (
        "The same by the code of who scanned, of sides that one person scanned alone. A side that several scanned, or "
        "of which nobody said who did, is in no row; one that was planned and not scanned is of whoever scanned all "
        "the rest."
    ),
    "operators_none": "No screening in the catalogue says who scanned.",
    "column_site": "Site",
    "column_operator": "Operator",
    "column_van": "Van",
    "column_organ": "Organ",
    "work_screenings": "Screenings",
    "work_sides": "Sides",
    "work_coverage": "Coverage",
    "work_adequacy": "Adequacy",
    "work_seconds": "Seconds a side",
    "work_sweeps": "Sweeps a side",
    "work_rescans": "Rescans a side",
    "work_refused": "Frames refused",
}
