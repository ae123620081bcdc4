"""What people read: views over the tables, in SQL that SQLite and PostgreSQL both take.

A view shows the newest revision of a screening, and nothing of one that is void or of which she no longer agrees to be
screened. What an amendment of the kind `woman` or `consent` says holds here as soon as it stands in the catalogue;
sides are those of the newest revision. No view shows a subject key or a slip number.
"""

from typing import Final

from sqlalchemy import Table

from sonovan.storage.catalogue.columns import PLACE
from sonovan.storage.catalogue.tables_found import ADEQUACY, FINDING, SIGHTING
from sonovan.storage.catalogue.views_concluded import CONCLUDED_VIEWS
from sonovan.storage.catalogue.views_networks import NETWORK_VIEWS
from sonovan.storage.catalogue.views_programme import PROGRAMME_VIEWS
from sonovan.storage.catalogue.views_rejected import REJECTED_VIEWS
from sonovan.storage.catalogue.views_work import WORK_VIEWS

_INDEX: Final = "substr(CAST(1000000 + {index} AS TEXT), 2)"
"""A frame's index with six digits, as in its id."""


def _image(sequence: str, index: str) -> str:
    return f"'sonovan://frames/' || {sequence} || '/' || {_INDEX.format(index=index)}"


def _columns(table: Table, alias: str) -> str:
    """A table's columns but for where objects lie and where the row's message stands."""
    left_out = ("image_key", "mask_key", *PLACE)
    return ", ".join(f"{alias}.{column.name}" for column in table.columns if column.name not in left_out)


def _mask(sequence: str, index: str, fingerprint: str) -> str:
    frame = f"{sequence} || '/' || {_INDEX.format(index=index)}"
    return f"'sonovan://masks/' || {frame} || '/' || substr({fingerprint}, 1, 16)"


_AMENDMENTS: Final = """
SELECT a.screening_id, a.amendment_number, a.kind, a.because, a.operator, a.amended_at, a.laterality, a.sequence_ids,
  a.withdraws_screening, a.withdraws_ai, a.withdraws_research, a.withdraws_sharing, a.mark
FROM amendment a JOIN opening o ON o.screening_id = a.screening_id AND o.van_id = a.van_id
WHERE a.kind <> 'taken_back' AND NOT EXISTS (
  SELECT 1 FROM amendment t WHERE t.screening_id = a.screening_id AND t.van_id = a.van_id
  AND t.taken_back_number = a.amendment_number)
"""

_IN_FORCE: Final = """
SELECT screening_id, max(CASE WHEN kind = 'void' THEN 1 ELSE 0 END) AS void,
  max(CASE WHEN withdraws_screening THEN 1 ELSE 0 END) AS no_screening,
  max(CASE WHEN withdraws_ai THEN 1 ELSE 0 END) AS no_ai,
  max(CASE WHEN withdraws_research THEN 1 ELSE 0 END) AS no_research,
  max(CASE WHEN withdraws_sharing THEN 1 ELSE 0 END) AS no_sharing,
  max(CASE WHEN kind = 'woman' THEN amendment_number END) AS woman_number,
  max(CASE WHEN kind = 'seen' THEN 1 ELSE 0 END) AS marked, count(*) AS amendments
FROM amendments GROUP BY screening_id
"""

_WOMEN: Final = """
SELECT o.screening_id, CASE WHEN f.woman_number IS NULL THEN o.subject_key ELSE a.subject_key END AS subject_key,
  CASE WHEN f.woman_number IS NULL THEN o.slip_number ELSE a.slip_number END AS slip_number
FROM opening o LEFT JOIN in_force f ON f.screening_id = o.screening_id
LEFT JOIN amendment a ON a.screening_id = o.screening_id AND a.van_id = o.van_id AND a.amendment_number = f.woman_number
"""

_CLINICAL: Final = """
SELECT c.* FROM clinical_record c JOIN opening o ON o.screening_id = c.screening_id AND o.van_id = c.van_id
WHERE o.consent_screening AND NOT EXISTS (
  SELECT 1 FROM clinical_record n WHERE n.screening_id = c.screening_id AND n.van_id = c.van_id
  AND n.features_number > c.features_number)
"""

_SCREENINGS: Final = """
SELECT o.screening_id, o.site_code, o.van_id, o.opened_at,
  (SELECT max(e.closed_at) FROM screening_closing e WHERE e.screening_id = o.screening_id AND e.van_id = o.van_id)
    AS closed_at,
  s.examined_on, s.revision_number, s.revision_id, s.status, s.as_of, s.frames,
  CASE WHEN s.silenced THEN NULL ELSE s.findings END AS findings,
  CASE WHEN s.silenced THEN NULL ELSE s.suspicion END AS suspicion, s.referred,
  coalesce(f.void, 0) = 1 AS void, coalesce(f.marked, 0) = 1 AS marked_by_operator,
  o.consent_screening AND coalesce(f.no_screening, 0) = 0 AS consent_screening,
  o.consent_ai AND coalesce(f.no_ai, 0) = 0 AS consent_ai,
  o.consent_research AND coalesce(f.no_research, 0) = 0 AS consent_research,
  o.consent_sharing AND coalesce(f.no_sharing, 0) = 0 AS consent_sharing,
  coalesce(f.amendments, 0) AS amendments, o.planned,
  c.age_years, c.sex, c.palpable_lump, c.nipple_discharge, c.skin_or_nipple_change, c.menopause, c.brca,
  c.tsh_miu_per_l, c.answers AS clinical_data, s.model_id, s.fingerprint, r.rules_version,
  r.frames_missing, r.sequences_missing, r.frames_rejected, r.advice, r.categories AS side_categories
FROM opening o
LEFT JOIN screening s ON s.screening_id = o.screening_id
LEFT JOIN revision r ON r.screening_id = s.screening_id AND r.revision_number = s.revision_number
  AND r.revision_id = s.revision_id
LEFT JOIN in_force f ON f.screening_id = o.screening_id
LEFT JOIN clinical c ON c.screening_id = o.screening_id AND coalesce(f.void, 0) = 0 AND coalesce(f.no_screening, 0) = 0
"""

_VISITS: Final = """
SELECT screening_id, row_number() OVER (PARTITION BY subject_key ORDER BY screening_id) AS visit,
  lag(screening_id) OVER (PARTITION BY subject_key ORDER BY screening_id) AS earlier_screening_id
FROM women
"""

_COUNTS_AS_EARLIER: Final = "NOT {s}.void AND {s}.consent_screening AND {s}.consent_ai"

_COMPARED_WITH: Final = f"""
SELECT n.screening_id, (
  SELECT max(e.screening_id) FROM women e JOIN screenings s ON s.screening_id = e.screening_id
  WHERE e.subject_key = w.subject_key AND e.screening_id < w.screening_id
    AND {_COUNTS_AS_EARLIER.format(s="s")} AND s.status IN ('complete', 'incomplete')
    AND NOT EXISTS (SELECT 1 FROM erased g WHERE g.screening_id = e.screening_id)) AS earlier_screening_id
FROM women w JOIN screenings n ON n.screening_id = w.screening_id
WHERE {_COUNTS_AS_EARLIER.format(s="n")}
"""
"""Written for one screening at a time, as the console asks. A window over all women reads the whole view faster, but
took three times as long for one of 20,000 screenings."""

_WORKLIST: Final = """
SELECT s.screening_id, s.van_id, o.site_code, o.opened_at, s.examined_on, s.status, s.revision_number, s.as_of,
  s.referred, s.suspicion, s.findings, s.frames
FROM screening s LEFT JOIN opening o ON o.screening_id = s.screening_id
WHERE s.ended = false ORDER BY s.referred DESC, s.suspicion DESC, s.screening_id
"""

_NEWEST: Final = """JOIN screening s ON s.screening_id = {of}.screening_id AND s.revision_number = {of}.revision_number
  AND s.revision_id = {of}.revision_id AND NOT s.silenced"""

_FINDINGS: Final = f"""
SELECT {_columns(FINDING, "f")}, g.sequence_id, g.view, g.long_axis_mm, g.short_axis_mm, g.area_mm2,
  g.long_axis_px, g.predicted_dice,
  {_image("g.sequence_id", "g.key_frame")} AS image_address
FROM finding f {_NEWEST.format(of="f")}
JOIN sighting g ON g.screening_id = f.screening_id AND g.revision_number = f.revision_number
  AND g.revision_id = f.revision_id AND g.ordinal = f.ordinal AND g.best
"""

_READERS: Final = "substr(g.mask_key, 1, 8) = 'reviews/'"
"""Whether a sighting's mask is a reader's; such a key ends in the review's id and `.png`."""

_SIGHTINGS: Final = f"""
SELECT {_columns(SIGHTING, "g")}, f.organ, f.laterality, {_image("g.sequence_id", "g.key_frame")} AS image_address,
  CASE WHEN g.mask_key IS NULL THEN NULL
    WHEN {_READERS} THEN 'sonovan://reviews/' || substr(g.mask_key, length(g.mask_key) - 39, 36)
    ELSE {_mask("g.sequence_id", "g.key_frame", "s.fingerprint")} END AS mask_address,
  CASE WHEN EXISTS (SELECT 1 FROM frame m WHERE m.sequence_id = g.sequence_id AND m.frame_index = g.key_frame
    AND m.fingerprint = s.fingerprint AND m.mask_key IS NOT NULL)
    THEN {_mask("g.sequence_id", "g.key_frame", "s.fingerprint")} END AS predicted_mask_address,
  coalesce({_READERS}, false) AS outlined_by_reader
FROM sighting g {_NEWEST.format(of="g")}
JOIN finding f ON f.screening_id = g.screening_id AND f.revision_number = g.revision_number
  AND f.revision_id = g.revision_id AND f.ordinal = g.ordinal
"""

_FRAMES: Final = f"""
SELECT f.screening_id, f.sequence_id, f.frame_index, f.organ, coalesce(q.laterality, f.laterality) AS laterality,
  f.view, f.position, f.mode, f.acquired_on, f.time_ms, f.rows_px, f.columns_px, f.quality, f.assessable,
  f.not_assessable_reason, f.regions, f.predicted_dice, f.outline_unreliable, f.model_id, f.fingerprint, f.provider,
  f.fingerprint <> s.fingerprint AS shadow, f.image_sha256, f.mask_sha256,
  {_image("f.sequence_id", "f.frame_index")} AS image_address,
  CASE WHEN f.mask_key IS NULL THEN NULL ELSE {_mask("f.sequence_id", "f.frame_index", "f.fingerprint")} END
  AS mask_address
FROM frame f LEFT JOIN screening s ON s.screening_id = f.screening_id
LEFT JOIN sequence_result q ON q.sequence_id = f.sequence_id AND q.revision_id = s.revision_id
WHERE s.silenced IS NULL OR NOT s.silenced
"""

_SIDES: Final = f"""
SELECT {_columns(ADEQUACY, "a")} FROM adequacy a {_NEWEST.format(of="a")}
"""

_ALERTS: Final = """
SELECT a.alert_id, a.screening_id, a.about_kind, a.about ->> 'organ' AS organ, a.about ->> 'laterality' AS laterality,
  a.about ->> 'finding_id' AS finding_id, a.state, a.severity, a.rule, a.because, a.as_of,
  a.acknowledged_by AS answered_by, a.acknowledged_at AS answered_at,
  (SELECT count(*) FROM alert_answer n WHERE n.alert_id = a.alert_id) AS answers, a.rules_version
FROM alert a
"""

_VANS: Final = """
SELECT v.van_id, r.reported_at, r.waiting, r.waiting_bytes, r.oldest_s, r.held, r.rejected, r.unfinished,
  r.disk_free_bytes, r.clock_ahead_s, r.link_bits_per_s, r.metered, r.version, v.screenings, v.last_opened_at,
  (SELECT count(*) FROM fault f WHERE f.van_id = v.van_id AND f.state = 'raised') AS faults
FROM (SELECT van_id, sum(screenings) AS screenings, max(last_opened_at) AS last_opened_at FROM (
    SELECT van_id, count(*) AS screenings, max(opened_at) AS last_opened_at FROM opening GROUP BY van_id
    UNION ALL SELECT van_id, 0, NULL FROM van_report) each_van GROUP BY van_id) v
LEFT JOIN van_report r ON r.van_id = v.van_id
"""

_QUALITY: Final = """
SELECT f.model_id, f.organ, f.van_id, count(*) AS frames,
  avg(CASE WHEN f.assessable THEN 1.0 ELSE 0.0 END) AS assessable_share, avg(f.quality) AS picture_quality,
  sum(CASE WHEN f.regions > 0 THEN 1 ELSE 0 END) AS frames_outlined, avg(f.predicted_dice) AS predicted_dice,
  sum(CASE WHEN f.outline_unreliable THEN 1 ELSE 0 END) AS outlines_unreliable,
  max(b.blind_reviews) AS blind_reviews, max(b.dice) AS dice, max(b.iou) AS iou
FROM frame f LEFT JOIN (
  SELECT model_id, organ, van_id, count(*) AS blind_reviews, avg(dice) AS dice, avg(iou) AS iou
  FROM counted_reviews WHERE blind GROUP BY model_id, organ, van_id) b
  ON b.model_id = f.model_id AND b.organ = f.organ AND b.van_id = f.van_id
GROUP BY f.model_id, f.organ, f.van_id
"""

_MEASURED: Final = """
SELECT m.stratum, m.level, m.model_id, m.organ, m.van_id, m.manufacturer, m.scanner_model, m.as_of, m.verdict, m.dice,
  m.dice_low, m.dice_high, m.iou, m.iou_low, m.iou_high, m.screenings, m.needed, m.window_number, m.drifted,
  m.agreement, m.measured_window
FROM quality_measurement m
"""

_FLAGS: Final = f"""
SELECT f.screening_id, f.sequence_id, f.frame_index, f.model_id, f.because, f.feature, f.value, f.as_of,
  {_image("f.sequence_id", "f.frame_index")} AS image_address
FROM flag f
"""

_REVIEWS: Final = f"""
SELECT r.review_id, r.screening_id, r.sequence_id, r.frame_index, r.van_id, r.organ, r.reader, r.blind, r.verdict,
  r.words,  r.model_id, r.fingerprint, r.predicted_dice, r.dice, r.iou, r.origin, r.reviewed_at,
  {_image("r.sequence_id", "r.frame_index")} AS image_address,
  CASE WHEN r.mask_key IS NULL THEN NULL ELSE 'sonovan://reviews/' || r.review_id END AS mask_address
FROM review r WHERE NOT EXISTS (
  SELECT 1 FROM review n WHERE n.sequence_id = r.sequence_id AND n.frame_index = r.frame_index AND n.reader = r.reader
  AND n.blind = r.blind AND n.review_id > r.review_id)
"""

_EXPERT: Final = """
SELECT * FROM counted_reviews r WHERE NOT EXISTS (
  SELECT 1 FROM counted_reviews n WHERE n.sequence_id = r.sequence_id AND n.frame_index = r.frame_index
  AND ((n.blind AND NOT r.blind) OR (n.blind = r.blind AND n.review_id > r.review_id)))
"""

_BEST_FRAMES: Final = """
SELECT * FROM (SELECT f.*, row_number() OVER (PARTITION BY screening_id, organ, laterality
  ORDER BY quality DESC, sequence_id, frame_index) AS place FROM frames f
  WHERE assessable AND NOT coalesce(shadow, false)) best WHERE place = 1
"""

_EXAMINED: Final = """
SELECT screening_id, organ, laterality FROM sides WHERE level NOT IN ('not_examined', 'unknown')
UNION SELECT screening_id, organ, laterality FROM findings
"""

_BREAST: Final = (
    ("location_hour", "f.hour"),
    ("location_region", "f.region"),
    ("nipple_distance_mm", "coalesce(f.nipple_distance_mm, g.nipple_distance_mm)"),
    ("place_on_picture", "g.place"),
    ("long_axis_mm", "g.long_axis_mm"),
    ("short_axis_mm", "g.short_axis_mm"),
    ("area_mm2", "g.area_mm2"),
    ("orientation_deg", "g.orientation_deg"),
    ("outline_features", "g.outline"),
    ("frames_seen", "g.frames"),
    ("duration_ms", "g.duration_ms"),
    ("temporal_features", "g.dynamics"),
    ("contrast", "g.contrast"),
    ("cnr", "g.cnr"),
    ("gcnr", "g.gcnr"),
    ("region_description", "f.descriptors"),
    ("suggested_bi_rads", "f.bi_rads"),
    ("malignant", "f.malignant"),
)
_THYROID: Final = (
    ("location_region", "f.region"),
    ("place_on_picture", "g.place"),
    ("transverse_mm", "f.transverse_mm"),
    ("depth_mm", "f.depth_mm"),
    ("length_mm", "f.length_mm"),
    ("volume_ml", "f.volume_ml"),
    ("long_axis_mm", "g.long_axis_mm"),
    ("short_axis_mm", "g.short_axis_mm"),
    ("shape", "f.descriptors ->> 'shape'"),
    ("margin", "f.descriptors ->> 'margin'"),
    ("outline_features", "g.outline"),
    ("echogenicity", "f.descriptors ->> 'echogenicity'"),
    ("internal_structure", "f.descriptors ->> 'composition'"),
    ("echogenic_foci", "f.descriptors ->> 'echogenic_foci'"),
    ("blood_flow", "f.blood_flow"),
    ("suggested_ti_rads", "f.ti_rads"),
    ("ti_rads_points", "f.ti_rads_points"),
    ("ti_rads_at_least", "f.ti_rads_at_least"),
    ("suggested_c_tirads", "f.c_tirads"),
    ("malignant", "f.malignant"),
)


_CONCLUSION: Final = """p.action || coalesce('/' || CAST(p.months AS TEXT), '')
    || coalesce(' BI-RADS:' || p.bi_rads, '') || coalesce(' TI-RADS:' || p.ti_rads, '')
    || coalesce(' C-TIRADS:' || p.c_tirads, '') || ' ' || CAST(p.blocks AS TEXT)"""
"""What the reader signed of a side, in codes: recommendation, categories, text blocks; NULL where nobody signed."""


def _records(organ: str, side: str, told: tuple[tuple[str, str], ...]) -> str:
    """One row for each sighting of a finding, and one for each side that was examined and shows none."""
    columns = ", ".join(f"{value} AS {name}" for name, value in told)
    return f"""
SELECT d.screening_id || '/' || coalesce(d.laterality, 'none')
    || coalesce('/' || CAST(f.ordinal AS TEXT) || '/' || CAST(g.sighting_ordinal AS TEXT), '') AS record_id,
  d.screening_id, coalesce(CAST(s.examined_on AS TEXT), substr(CAST(s.opened_at AS TEXT), 1, 10)) AS screening_date,
  d.laterality AS {side}, coalesce(g.image_address, b.image_address) AS image_address,
  e.mask_address AS expert_mask_address, coalesce(g.predicted_mask_address, b.mask_address) AS predicted_mask_address,
  e.dice, e.iou, coalesce(g.predicted_dice, b.predicted_dice) AS predicted_dice, {columns},
  s.clinical_data, s.age_years, s.advice AS ai_advice, s.status, s.consent_research, s.consent_sharing, s.model_id,
  s.rules_version, {_CONCLUSION} AS physician_conclusion, p.reader AS physician, p.signed_at AS concluded_at
FROM examined d JOIN screenings s ON s.screening_id = d.screening_id
LEFT JOIN signed_sides p ON p.screening_id = d.screening_id AND p.organ = d.organ
  AND coalesce(p.laterality, '') = coalesce(d.laterality, '')
LEFT JOIN findings f ON f.screening_id = d.screening_id AND f.organ = d.organ
  AND coalesce(f.laterality, '') = coalesce(d.laterality, '')
LEFT JOIN sightings g ON g.screening_id = f.screening_id AND g.ordinal = f.ordinal
LEFT JOIN best_frames b ON f.screening_id IS NULL AND b.screening_id = d.screening_id AND b.organ = d.organ
  AND coalesce(b.laterality, '') = coalesce(d.laterality, '')
LEFT JOIN expert_masks e ON e.sequence_id = coalesce(g.sequence_id, b.sequence_id)
  AND e.frame_index = coalesce(g.key_frame, b.frame_index)
WHERE d.organ = '{organ}' AND NOT s.void AND s.consent_screening AND s.consent_ai
"""


VIEWS: Final[dict[str, tuple[str, str]]] = {
    "amendments": ("amendments in force", _AMENDMENTS),
    "in_force": ("what the amendments in force of each screening come to", _IN_FORCE),
    "women": ("whose each screening is, by the newest amendment that says so; not for readers", _WOMEN),
    "clinical": ("the newest clinical record of each screening to which she agreed; not for readers", _CLINICAL),
    "screenings": ("one row for each screening that was opened, with its newest revision", _SCREENINGS),
    "visits": (
        "which visit of the same woman a screening is, and the one before, whether or not either counts",
        _VISITS,
    ),
    "compared_with": (
        "the newest earlier screening of the same woman that counts: reported, not void or erased, with her consent; "
        "NULL where there is none",
        _COMPARED_WITH,
    ),
    "worklist": ("what waits for a reader: signs that refer her first, then by suspicion, then the oldest", _WORKLIST),
    "sides": ("was each organ, side and region seen well enough, by the newest revision", _SIDES),
    "findings": ("the lesions of each screening's newest revision, with their best sighting", _FINDINGS),
    "sightings": (
        "each lesion as one panel of one sweep shows it; `mask_address` is a reader's mask where `outlined_by_reader`",
        _SIGHTINGS,
    ),
    "frames": (
        "every frame's result, with its right side; `shadow`: by another network than the screening's",
        _FRAMES,
    ),
    "alerts": ("how each alert stands, and who answered", _ALERTS),
    "vans": ("each van's newest report, its screenings and its faults", _VANS),
    "counted_reviews": ("the review that counts of each frame, reader and blindness", _REVIEWS),
    "expert_masks": ("the review that counts of each frame, blind ones before others; not for readers", _EXPERT),
    "quality": (
        "by network, organ and van: what was seen, what is expected of outlines, what blind readers drew",
        _QUALITY,
    ),
    "quality_measurements": (
        "figures of agreement and drift, as the stage quality told them one after another",
        _MEASURED,
    ),
    "flags": ("frames that somebody should look at, by what the stage quality found", _FLAGS),
    "best_frames": ("the best frame of each side; not for readers", _BEST_FRAMES),
    "examined": ("sides that were examined; not for readers", _EXAMINED),
    **CONCLUDED_VIEWS,
    **PROGRAMME_VIEWS,
    "breast_records": ("the programme's breast records, without who she is", _records("breast", "side", _BREAST)),
    "thyroid_records": ("the programme's thyroid records, without who she is", _records("thyroid", "lobe", _THYROID)),
    **NETWORK_VIEWS,
    **REJECTED_VIEWS,
    **WORK_VIEWS,
}
"""Every view: what it is, and its query; in an order in which they can be made."""

FOR_READERS: Final = tuple(name for name, (what, _) in VIEWS.items() if not what.endswith("not for readers"))
"""What whoever only reads may ask; no table, and nothing of who a woman is."""
