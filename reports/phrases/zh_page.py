"""The report's page in Simplified Chinese: what she told, the maps and numbers."""

from typing import Final

CHINESE_PAGE: Final = {
    "preliminary_banner": "初步结果：图像仍在传输，内容还会变化。",
    "slip_number": "单号",
    "age": "年龄",
    "years": "{years} 岁",
    # what was amended
    "amended_because": "{amended}原因：{reason}。",
    "reviewed_heading": "由医师勾画",
    "reviewed": "{frames}的轮廓由医师（{readers}）勾画，而非软件勾画。这并不代表已签署。",
    "reader_frames": "共 {of} 帧，其中{frames}",
    "reader_key_frame": "；尺寸依据医师勾画的轮廓",
    "promoted_heading": "重新读图",
    "promoted": "本报告依据网络 {model} 的结果。较早的修订版依据另一网络（{before}）的结果。",
    "amended_side_left": "已更正：{sweeps}实为左侧，此前侧别有误。",
    "amended_side_right": "已更正：{sweeps}实为右侧，此前侧别有误。",
    "amended_side_isthmus": "已更正：{sweeps}实为峡部，此前侧别有误。",
    "amended_woman": "已更正：本次筛查属于另一单号，而非当时录入的单号。",
    "amended_void": "作废：本次筛查无效，不对其图像作任何说明。",
    "amended_consent": "已撤回同意：{uses}。",
    "amended_consent_ai": "此处不含任何由软件读图得出的内容，但这并不代表阴性结果。",
    "amended_consent_screening": "此处不对受检者及其图像作任何说明，但这并不代表阴性结果。",
    "marked_heading": "操作者标记的画面",
    "marked_frame": "操作者标记了第 {sweep} 次扫查的第 {frame} 帧（{place}）。此处未为其勾画轮廓。",
    "marked_not_here": "操作者标记了某次尚未送达的扫查的第 {frame} 帧。此处未为其勾画轮廓。",
    "marked_before": "操作者在任何图像到达之前作了标记（{place}）。",
    "use_screening": "接受筛查",
    "use_ai": "由软件判读图像",
    "use_research": "用于研究",
    "use_sharing": "与他人共享",
    # what she told
    "told_heading": "受检者检查前的陈述",
    "told_nothing": "未收到临床记录：有无肿块、溢液或皮肤改变均不清楚。",
    "told_not_asked": "未询问：{terms}。",
    "told_none": "无",
    "at_age": "{text}，{years} 岁时",
    "lump_places": "肿块部位",
    "side_left": "左侧",
    "side_right": "右侧",
    "side_isthmus": "峡部",
    "from_nipple": "距乳头 {distance:.0f} mm",
    "menarche_age_years": "初潮年龄",
    "menopause_age_years": "绝经年龄",
    "parity": "生育次数",
    "biopsies": "既往活检",
    "family": "患癌亲属",
    "earlier_cancer": "本人既往癌症",
    "tsh_miu_per_l": "促甲状腺激素（TSH）",
    "tsh": "{value:g} mIU/l",
    # maps
    "map_heading": "病灶部位图",
    "map_outer": "外侧",
    "map_inner": "内侧",
    "map_felt": "触",
    "map_meaning": (
        "正面观，受检者右侧在图左。数字为病灶序号，标于所录入的探头或病灶部位。"
        "阴影部分：仅知方向或区域，距乳头的距离未知。灰色：未能充分评估。"
    ),
    "map_felt_meaning": "触：受检者自己摸到的肿块。",
    "map_unplaced": "部位未知：{numbers}",
    "map_no_side": "未记录侧别：{numbers}",
    # comparison
    "earlier_heading": "与以往筛查比较",
    "earlier_none": "未比较：本报告不包含以往的筛查。",
    # numbers
    "place_not_known": "部位未知",
    "risk": "恶性风险",
    "risk_value": (
        "{share}（95 % 区间 {low} 至 {high}），以 {lesions} 个病灶校准，其中 {malignant} 为恶性；并非筛查人群"
    ),
    "risk_shifted": (
        "{share}（95 % 区间 {low} 至 {high}，未计入调整本身的不确定性），"
        "以 {lesions} 个病灶校准，其中 {malignant} 为恶性，并已按本机构自己的结果调整"
    ),
    "extent": "径线",
    "extent_transverse": "横径 {value}",
    "extent_depth": "前后径 {value}",
    "extent_length": "上下径 {value}",
    "extent_volume": "体积 {value:.1f} ml",
    "length_mm": "{value:.1f} mm",
    "not_measured": "未测量",
    "vessels": "血流信号",
    "vessels_value": "{flow}；彩色像素：内部 {inside}，周边 {rim}，{frames}",
    "vessels_not_examined": "软件未判读，不等于“无血流”",
    "outline_shape": "形态数值",
    "circularity": "圆度 {value:.2f}",
    "solidity": "凸度 {value:.2f}",
    "angularity": "成角度 {value:.2f}",
    "lobulations": "膨出 {value} 处",
    "cnr": "对比噪声比 {value:.1f}",
}
