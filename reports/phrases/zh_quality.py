"""The page of quality in Chinese."""

from typing import Final

CHINESE_QUALITY: Final = {
    "this_language": "中文",
    "quality_heading": "结果是否仍然可靠？",
    "quality_made": "生成于 {moment}，依据 quality.measured 的 {records} 条记录，最新一条为 {newest}。",
    "quality_meaning": (
        "本页只涉及网络、筛查车和设备，不涉及任何受检者。它说明轮廓是否与阅片者所画一致，不说明病灶的良恶性。"
        "图中每个标记都链接到对应的数据行。"
    ),
    "agreement_heading": "与阅片者盲画轮廓的一致性",
    "agreement_meaning": (
        "只计入未看过机器轮廓的阅片者。实心点：筛查数足以发现均值低于下限 0.05（检验效能 0.8）；"
        "空心点：尚不能说明问题。横线为以整次筛查为单位重抽样的 95 % 区间。计入最近 200 次筛查。"
    ),
    "agreement_none": "尚无阅片者盲画任何一帧，因此无法知道轮廓是否正确。",
    "mean_dice_title": "平均 Dice",
    "mean_iou_title": "平均 IoU",
    "bound": "不低于 {value:.2f}",
    "verdict_too_few": "数量不足：{screenings} / {needed}",
    "verdict_met": "达到要求",
    "verdict_unclear": "尚不能确定",
    "verdict_missed": "低于要求",
    "column_of": "对象",
    "column_screenings": "筛查数",
    "column_needed": "筛查数 / 所需",
    "column_frames": "帧数",
    "column_verdict": "结论",
    "column_predicted": "预期减实测 Dice（帧数）",
    "column_ranks": "秩相关",
    "column_empty": "阅片者未见而网络画出",
    "column_time": "截至",
    "rows_from": "数据行：",
    "drift_heading": "筛查是否与以前一样？",
    "drift_meaning": (
        "每辆车的每台设备以连续一百次筛查为一个窗口，最初四个窗口为参照。其后每个窗口只比较一次"
        "（Kolmogorov–Smirnov 检验；无变化时至多 1 % 的窗口被误报；"
        "参照中各日差异越大，同一日的筛查所占分量越小）。"
        "点为窗口的中位数，色带为参照的中间一半，红色表示有变化。"
    ),
    "drift_none": "尚无填满的窗口。",
    "drift_more": "另有 {number} 台车载设备未列出，其变化均不多于所列者。",
    "standing_reference": "参照：第 {number} 个窗口",
    "standing_alike": "与以前一样",
    "standing_drift": "有变化：{features}",
    "windows_heading": "各窗口",
    "window_title": "第 {number} 个窗口：{value:.4g}",
    "window_reference": "属于参照",
    "column_window": "窗口",
    "column_feature": "特征",
    "column_median": "中位数",
    "column_reference": "参照（中间一半）",
    "column_distance": "距离 / 界限",
    "feature_brightness": "亮度",
    "feature_sharpness": "清晰度（散斑）",
    "feature_refused": "无法评估的比例",
    "feature_regions": "每帧轮廓数",
    "feature_region_size": "轮廓大小",
    "feature_score": "轮廓得分",
    "feature_predicted": "预期 Dice",
    "flags_heading": "需要查看的帧",
    "flags_meaning": (
        "网络对其轮廓预期较低的帧，以及与参照中几乎所有筛查都不同的筛查；每台车载设备每天至多 20 帧。"
        "请盲画这些帧：其中大多数并无问题。"
    ),
    "flags_none": "没有标记任何帧。",
    "flags_more": "另有 {number} 条较早的未列出。",
    "flags_by_day": "每天标记的帧数",
    "flag_predicted_low": "对其轮廓的预期较低",
    "flag_outside_reference": "{feature}：在参照的中间 99.5 % 之外",
    "column_frame": "帧",
    "column_why": "原因",
    "column_figure": "数值",
    "work_heading": "各车的筛查情况",
    "work_meaning": (
        "覆盖率：计划部位中实际扫查的比例。充分率：计划部位中图像足够好（无论操作者是否另行确认）的比例。"
        "时间：每侧各次扫查从首帧到末帧之和。重扫：同一切面和位置在第一次之外的扫查。"
    ),
    "work_no_catalogue": "未显示：无法查询目录数据库。",
    "work_none": "目录数据库中尚无筛查。",
    "operators_heading": "各操作员的筛查情况",
    "operators_meaning": (
        "同上，按扫查者的代码统计，只含由一人单独扫查的侧。由数人扫查或未说明由谁扫查的侧不在任何一行；"
        "已计划而未扫查的侧，算在扫查其余全部各侧的人名下。"
    ),
    "operators_none": "目录数据库中没有任何筛查说明由谁扫查。",
    "column_site": "站点",
    "column_operator": "操作员",
    "column_van": "筛查车",
    "column_organ": "器官",
    "work_screenings": "筛查数",
    "work_sides": "侧数",
    "work_coverage": "覆盖率",
    "work_adequacy": "充分率",
    "work_seconds": "每侧秒数",
    "work_sweeps": "每侧扫查次数",
    "work_rescans": "每侧重扫次数",
    "work_refused": "无法评估的帧",
}
