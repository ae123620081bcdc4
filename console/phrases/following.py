"""Alerts, call-backs, outcomes, and what became of yesterday's women."""

from typing import Final

ENGLISH: Final = {
    "nav_alerts": "Alerts",
    "nav_call_back": "Call back",
    "nav_yesterday": "Yesterday",
    "some_months": "ultrasound again after some months",
    "error_alert_raised_again": "This alert was raised again since you opened the list. Open it anew.",
    "error_nobody_of_that_code": "There is no account of this code.",
    "error_takes_no_alert_disabled": (
        "Not handed over: the account {account} is disabled, and nobody would be told. Name somebody else."
    ),
    "error_takes_no_alert_role": (
        "Not handed over: the account {account} has no role that sees to alerts (operator, reader, lead). "
        "Name somebody else."
    ),
    "error_takes_no_alert_site": (
        "Not handed over: the account {account} does not see this screening's site. Name somebody else."
    ),
    # alerts
    "alerts_title": "Alerts",
    "alerts_closed_title": "Alerts that were closed",
    "alerts_none": "No alert stands.",
    "alerts_closed_none": "None was closed.",
    "alerts_show_closed": "Closed ones",
    "alerts_show_standing": "Those that stand",
    "alerts_done": "Noted. The list shows it in a moment.",
    "alert_about": "About",
    "alert_why": "Why",
    "alert_since": "Since",
    "alert_state": "State",
    "alert_by": "Seen to by",
    "alert_nobody": "nobody yet",
    "alert_do": "What to do",
    "alert_acknowledge": "I see to it",
    "alert_hand_over": "Hand over",
    "alert_to": "To (account)",
    "alert_close": "Close",
    "alert_because": "What came of it",
    "alert_open": "Open the screening",
    "alert_slip": "Slip {slip}",
    "choose": "choose",
    # call back
    "call_back_title": "To be called back",
    "call_back_hint": (
        "A woman stays here until it is recorded, for each organ and side that she is asked to come for, that she "
        "came, or that she was given up. An examination that was not diagnostic must be done again. "
        "The most pressing stand first."
    ),
    "call_back_none": "Nobody is to be called back.",
    "call_back_slip": "Slip",
    "call_back_van": "Van",
    "call_back_action": "Asked to come for",
    "call_back_signed": "Signed",
    "call_back_days": "{days} days ago",
    "call_back_one_day": "1 day ago",
    "call_back_today": "today",
    "call_back_calls": "Calls",
    "call_back_appointment": "Appointment",
    "call_back_missed": "passed, and she was not recorded as there",
    "call_back_declined": "does not want to come",
    "call_back_record": "Record",
    # outcomes
    "outcomes_title": "What became of her",
    "outcomes_none": "Nothing is recorded yet.",
    "outcomes_done": "Recorded. The list shows it in a moment.",
    "outcome_day": "Day",
    "outcome_what": "What",
    "outcome_by": "Recorded by",
    "outcome_new": "Record",
    "outcome_contact": "Call and visit",
    "outcome_examined": "Examination elsewhere",
    "outcome_kind": "What happened",
    "outcome_happened_on": "On which day (of an appointment: its day)",
    "outcome_side": "Organ and side",
    "outcome_result": "Result",
    "outcome_bi_rads": "BI-RADS of a mammography",
    "outcome_bethesda": "Bethesda of a thyroid aspiration",
    "outcome_amends": "It replaces",
    "outcome_because": "Because",
    "outcome_nothing": "nothing",
    "outcome_wrong": "Recorded by mistake",
    "outcome_save": "Record it",
    "outcome_does_not_fit": (
        "Not recorded: this does not fit together. An examination has an organ and a result, BI-RADS is of a "
        "mammography, Bethesda of a thyroid aspiration; whatever replaces something says why."
    ),
    "outcome_still_to_come": (
        "Not recorded: {day} is still to come. Only an appointment can have a day after today. Correct the day."
    ),
    "outcome_not_sent": "Not recorded: it could not be sent. Try again.",
    # yesterday
    "yesterday_title": "What became of the women of {day}",
    "yesterday_none": "No woman was screened on this day.",
    "yesterday_day": "Another day",
    "yesterday_show": "Show",
    "yesterday_counts": (
        "{screened} screened, {signed} signed, {called} to be called back, {again} of them to be scanned again"
    ),
    "yesterday_unsigned": "not signed yet",
    "yesterday_became": "What became of her",
    "yesterday_operator": "Scanned by",
    "yesterday_own": "Those whom {operator} scanned, and those of whom nobody said who scanned.",
    "yesterday_state": "Pictures",
}

CHINESE: Final = {
    "nav_alerts": "警报",
    "nav_call_back": "召回",
    "nav_yesterday": "昨日",
    "some_months": "数月后复查超声",
    "error_alert_raised_again": "您打开列表后该警报已再次发出，请重新打开。",
    "error_nobody_of_that_code": "没有此代码的账户。",
    "error_takes_no_alert_disabled": "未转交：账户 {account} 已停用，无人会收到通知。请另选他人。",
    "error_takes_no_alert_role": "未转交：账户 {account} 没有处理警报的角色（操作员、阅片医师、负责人）。请另选他人。",
    "error_takes_no_alert_site": "未转交：账户 {account} 无权查看该筛查所属站点。请另选他人。",
    # alerts
    "alerts_title": "警报",
    "alerts_closed_title": "已关闭的警报",
    "alerts_none": "目前没有警报。",
    "alerts_closed_none": "没有已关闭的警报。",
    "alerts_show_closed": "已关闭",
    "alerts_show_standing": "未关闭",
    "alerts_done": "已记录，列表稍后更新。",
    "alert_about": "涉及",
    "alert_why": "原因",
    "alert_since": "时间",
    "alert_state": "状态",
    "alert_by": "处理人",
    "alert_nobody": "尚无人",
    "alert_do": "处理",
    "alert_acknowledge": "由我处理",
    "alert_hand_over": "转交",
    "alert_to": "转交给（账户）",
    "alert_close": "关闭",
    "alert_because": "处理结果",
    "alert_open": "打开筛查",
    "alert_slip": "单号 {slip}",
    "choose": "请选择",
    # call back
    "call_back_title": "待召回",
    "call_back_hint": (
        "每个须召回的器官和侧别均记录已就诊或不再联系之前，一直列于此处。无法诊断的检查须重做。最紧急者在前。"
    ),
    "call_back_none": "没有需要召回的妇女。",
    "call_back_slip": "单号",
    "call_back_van": "筛查车",
    "call_back_action": "召回事由",
    "call_back_signed": "签署时间",
    "call_back_days": "{days} 天前",
    "call_back_one_day": "1 天前",
    "call_back_today": "今天",
    "call_back_calls": "联系次数",
    "call_back_appointment": "预约",
    "call_back_missed": "已过期，未记录就诊",
    "call_back_declined": "不愿前来",
    "call_back_record": "记录",
    # outcomes
    "outcomes_title": "后续情况",
    "outcomes_none": "尚无记录。",
    "outcomes_done": "已记录，列表稍后更新。",
    "outcome_day": "日期",
    "outcome_what": "内容",
    "outcome_by": "记录人",
    "outcome_new": "新记录",
    "outcome_contact": "联系与就诊",
    "outcome_examined": "院外检查",
    "outcome_kind": "发生了什么",
    "outcome_happened_on": "日期（预约则为预约日）",
    "outcome_side": "器官与侧别",
    "outcome_result": "结果",
    "outcome_bi_rads": "乳腺X线摄影的 BI-RADS 分类",
    "outcome_bethesda": "甲状腺穿刺的 Bethesda 分级",
    "outcome_amends": "取代",
    "outcome_because": "原因",
    "outcome_nothing": "无",
    "outcome_wrong": "误录",
    "outcome_save": "记录",
    "outcome_does_not_fit": (
        "未记录：内容不相符。检查须有器官和结果；BI-RADS 属于乳腺X线摄影，Bethesda 属于甲状腺穿刺；取代记录须说明原因。"
    ),
    "outcome_still_to_come": "未记录：{day} 尚未到来。只有预约的日期可以晚于今天，请更正日期。",
    "outcome_not_sent": "未记录：无法发送，请重试。",
    # yesterday
    "yesterday_title": "{day} 受检妇女的后续情况",
    "yesterday_none": "当天没有受检妇女。",
    "yesterday_day": "其他日期",
    "yesterday_show": "显示",
    "yesterday_counts": "受检 {screened} 人，已签署 {signed} 人，待召回 {called} 人，其中需重新扫查 {again} 人",
    "yesterday_unsigned": "尚未签署",
    "yesterday_became": "后续情况",
    "yesterday_operator": "扫查者",
    "yesterday_own": "{operator} 扫查的受检者，以及未说明由谁扫查的受检者。",
    "yesterday_state": "图像",
}
