// English and 中文, chosen once and switched at once.

const EN = {
  title: "Kuaibao console", skip: "Skip to content", cancel: "Cancel",
  "tab.play": "Playground", "tab.apply": "Apply", "tab.applications": "Applications", "tab.keys": "Keys",
  "tab.usage": "Usage", "tab.review": "Review", "tab.audit": "Audit", "tab.rules": "Rules",
  "key.title": "Your key", "key.label": "API key", "key.use": "Use it", "key.none": "No key? Apply for one.",
  "key.about": "It stays in this browser tab and is forgotten when the tab closes.", "key.set": "Set key", "key.change": "Change key",
  "key.secret": "Copy it now: it is shown this once.", "key.first": "Set your key first.",
  "play.preset": "Preset", "play.prompt": "Prompt", "play.model": "Model", "play.tokens": "Most tokens", "play.temperature": "Temperature",
  "play.top_p": "Top p", "play.stop": "Stop at", "play.run": "Complete", "play.stop_run": "Stop", "play.compare": "Compare two", "play.single": "One only",
  "play.save": "Save", "play.saved": "Saved in this browser", "play.share": "Copy link", "play.shared": "The link holds prompt and settings, never your key.",
  "play.output": "Output", "play.hint": "Point at a token, or tab to it, to see what else the model weighed. Ctrl+Enter completes.", "play.usage": "{prompt} + {completion} tokens in {seconds} s",
  "play.tasks": "Text", "play.task": "Input", "play.examples": "Examples", "play.example_in": "Input", "play.example_out": "Output", "play.add": "Add an example", "play.instruction": "Instruction", "play.build": "Build the prompt",
  "preset.free": "Free text", "preset.summarise": "Summarise", "preset.translate": "Translate", "preset.classify": "Classify", "preset.qa": "Question and answer", "preset.few": "Few-shot table",
  "apply.title": "Apply for access", "apply.about": "Every application is read by a person. You get a key at once; it opens the models when the application is approved, and until then it follows your application here.",
  "apply.person": "Your name", "apply.email": "E-mail", "apply.name": "Name of the application", "apply.purpose": "What is it for?", "apply.audience": "Who will use it?",
  "apply.seen": "Who sees the output, and how?", "apply.human": "Who reads it before it is used?", "apply.volume": "Tokens a day, about", "apply.send": "Send the application", "apply.done": "Application {id} is filed. Your key:",
  "apps.title": "Applications", "apps.none": "There are none yet.", "apps.open": "Open", "apps.answer": "Answer", "apps.question": "Ask a question", "apps.approve": "Approve", "apps.refuse": "Refuse", "apps.suspend": "Suspend",
  "apps.reasons": "Reasons", "apps.exceptions": "Exceptions that all may see", "apps.limits": "Ceilings (0: none)", "apps.kill": "Switch off at once", "apps.revive": "Switch on again", "apps.history": "History", "apps.new_key": "New key", "apps.label": "Label", "apps.policy": "Policy", "apps.send": "Send", "apps.expires": "Expires in days (empty: never)",
  "keys.title": "Keys", "keys.revoke": "Revoke", "keys.rotate": "Rotate", "keys.sure": "End this key at once?", "keys.rotated": "The old key works for another hour.",
  "usage.title": "Usage", "usage.by": "By", "usage.day": "day", "usage.model": "model", "usage.key": "key", "usage.application": "application", "usage.person": "person", "usage.endpoint": "endpoint", "usage.end_user": "end user", "usage.csv": "Download CSV",
  "review.title": "Held texts", "review.none": "Nothing waits for a person.", "review.harmless": "Harmless", "review.misuse": "Misuse",
  "audit.title": "Audit log", "audit.verified": "{n} entries, chain verified.",
  "rules.title": "What is approved, and what is not", "rules.exception": "An exception that was made", "rules.about": "Decided cases with the administrators' reasons, so that everybody knows the rules.",
  "col.id": "No.", "col.name": "Name", "col.state": "State", "col.made": "Made", "col.used": "Last used", "col.expires": "Expires", "col.scopes": "Scopes", "col.prefix": "Key", "col.group": "", "col.requests": "Requests", "col.prompt": "Prompt tokens", "col.completion": "Completion tokens", "col.cost": "Cost", "col.at": "When", "col.actor": "Who", "col.action": "What", "col.subject": "On what", "col.check": "Check", "col.text": "Text", "col.reason": "Reason",
  "state.submitted": "submitted", "state.questions": "question asked", "state.approved": "approved", "state.refused": "refused", "state.suspended": "suspended", "state.killed": "switched off", "state.active": "active", "state.revoked": "revoked",
  "tab.templates": "Few-shot", "shots.title": "Few-shot templates", "shots.about": "An instruction with solved examples, in versions that never change. Measure one on tasks that people solved; let the service choose how many examples are shown, and which.",
  "shots.version": "Version", "shots.examples": "Examples shown", "shots.shown": "{n} of {of} examples, {how}", "shots.first": "in their order", "shots.nearest": "nearest to the question", "shots.fixed": "fixed",
  "shots.new": "Name of a new template", "shots.make": "Make it", "shots.pairs": "Examples, a line each: input → output", "shots.keep": "Keep as a new version", "shots.kept": "Version {n} is kept.",
  "shots.try": "Try and measure", "shots.metric": "Measure", "shots.exact": "same answer", "shots.rouge_l": "ROUGE-L", "shots.likelihood": "probability of the answer", "shots.tasks": "Solved tasks, a line each: input → output (none: the examples, each left out in turn)",
  "shots.evaluate": "Measure", "shots.choose": "Choose the examples", "shots.working": "…", "shots.reports": "What was measured", "shots.result": "Mean [95 %] · tasks", "shots.without": "Without examples",
  "budget.title": "Budgets", "budget.about": "For a calendar month (UTC). At 50, 80 and 100 % there is an alert here, in the log, and by mail if an address is given.", "budget.none": "There is none yet.", "budget.of": "Of", "budget.used": "Used", "budget.amount": "Amount a month", "budget.share": "Share", "budget.hard": "Ends requests", "budget.ends": "yes", "budget.remove": "Remove",
  "budget.alert": "{when}: {threshold} % of {of} reached ({month})", "budget.unit": "Unit", "budget.money": "money", "budget.tokens": "tokens", "budget.email": "Mail alerts to", "budget.set": "Set budget",
  never: "never", unit: "tokens",
};

const ZH = {
  title: "快报控制台", skip: "跳到正文", cancel: "取消",
  "tab.play": "试用", "tab.apply": "申请", "tab.applications": "应用", "tab.keys": "密钥", "tab.usage": "用量", "tab.review": "复核", "tab.audit": "审计", "tab.rules": "规则",
  "key.title": "您的密钥", "key.label": "API 密钥", "key.use": "使用", "key.none": "没有密钥？提交申请。", "key.about": "密钥只留在本标签页中，关闭后即被忘记。", "key.set": "输入密钥", "key.change": "更换密钥",
  "key.secret": "请立即复制：只显示这一次。", "key.first": "请先输入密钥。",
  "play.preset": "预设", "play.prompt": "提示", "play.model": "模型", "play.tokens": "最多词元", "play.temperature": "温度", "play.top_p": "Top p", "play.stop": "停止符", "play.run": "续写", "play.stop_run": "停止", "play.compare": "两相比较", "play.single": "只看一个",
  "play.save": "保存", "play.saved": "已保存在本浏览器", "play.share": "复制链接", "play.shared": "链接含提示与设置，不含密钥。",
  "play.output": "输出", "play.hint": "指向或用 Tab 选中一个词元，可看到模型考虑过的其他词元。Ctrl+Enter 开始续写。", "play.usage": "{prompt} + {completion} 个词元，{seconds} 秒",
  "play.tasks": "文本", "play.task": "输入", "play.examples": "示例", "play.example_in": "输入", "play.example_out": "输出", "play.add": "添加示例", "play.instruction": "说明", "play.build": "生成提示",
  "preset.free": "自由文本", "preset.summarise": "摘要", "preset.translate": "翻译", "preset.classify": "分类", "preset.qa": "问答", "preset.few": "少样本表",
  "apply.title": "申请使用", "apply.about": "每份申请都由人审阅。您会立即得到一个密钥；申请批准后才能使用模型，在此之前可用它查看申请进展。",
  "apply.person": "您的姓名", "apply.email": "电子邮件", "apply.name": "应用名称", "apply.purpose": "用途", "apply.audience": "谁来使用", "apply.seen": "谁会看到输出，如何看到", "apply.human": "使用前由谁审读", "apply.volume": "每日词元数（约）", "apply.send": "提交申请", "apply.done": "申请 {id} 已提交。您的密钥：",
  "apps.title": "应用", "apps.none": "还没有应用。", "apps.open": "打开", "apps.answer": "回答", "apps.question": "提问", "apps.approve": "批准", "apps.refuse": "拒绝", "apps.suspend": "暂停", "apps.reasons": "理由", "apps.exceptions": "公开的例外", "apps.limits": "上限（0 为无上限）", "apps.kill": "立即关停", "apps.revive": "重新开启", "apps.history": "经过", "apps.new_key": "新密钥", "apps.label": "标签", "apps.policy": "策略", "apps.send": "发送", "apps.expires": "有效天数（空为永久）",
  "keys.title": "密钥", "keys.revoke": "吊销", "keys.rotate": "轮换", "keys.sure": "立即吊销此密钥？", "keys.rotated": "旧密钥还可使用一小时。",
  "usage.title": "用量", "usage.by": "按", "usage.day": "日", "usage.model": "模型", "usage.key": "密钥", "usage.application": "应用", "usage.person": "人员", "usage.endpoint": "接口", "usage.end_user": "最终用户", "usage.csv": "下载 CSV",
  "review.title": "待复核文本", "review.none": "没有待复核的文本。", "review.harmless": "无害", "review.misuse": "滥用",
  "audit.title": "审计日志", "audit.verified": "共 {n} 条，哈希链已校验。",
  "rules.title": "哪些获准，哪些不获准", "rules.exception": "所作的例外", "rules.about": "已决定的案例及管理员的理由，让所有人知道规则。",
  "col.id": "编号", "col.name": "名称", "col.state": "状态", "col.made": "创建", "col.used": "最近使用", "col.expires": "到期", "col.scopes": "权限", "col.prefix": "密钥", "col.group": "", "col.requests": "请求", "col.prompt": "提示词元", "col.completion": "输出词元", "col.cost": "费用", "col.at": "时间", "col.actor": "操作者", "col.action": "操作", "col.subject": "对象", "col.check": "检查", "col.text": "文本", "col.reason": "理由",
  "state.submitted": "已提交", "state.questions": "待回答", "state.approved": "已批准", "state.refused": "已拒绝", "state.suspended": "已暂停", "state.killed": "已关停", "state.active": "有效", "state.revoked": "已吊销",
  "tab.templates": "少样本", "shots.title": "少样本模板", "shots.about": "一条说明加若干已解示例，各版本一经保存不再改变。可用人工解答的任务评测，并由服务选定展示几个、哪些示例。",
  "shots.version": "版本", "shots.examples": "展示的示例", "shots.shown": "{of} 个示例中的 {n} 个，{how}", "shots.first": "按原顺序", "shots.nearest": "与问题最近者", "shots.fixed": "固定",
  "shots.new": "新模板名称", "shots.make": "新建", "shots.pairs": "示例，每行一个：输入 → 输出", "shots.keep": "存为新版本", "shots.kept": "已保存第 {n} 版。",
  "shots.try": "试用与评测", "shots.metric": "指标", "shots.exact": "答案相同", "shots.rouge_l": "ROUGE-L", "shots.likelihood": "答案的概率", "shots.tasks": "已解任务，每行一个：输入 → 输出（留空则逐一留出示例）",
  "shots.evaluate": "评测", "shots.choose": "选定示例", "shots.working": "…", "shots.reports": "评测结果", "shots.result": "均值 [95 %] · 任务数", "shots.without": "无示例时",
  "budget.title": "预算", "budget.about": "按自然月（UTC）计。达到 50、80、100 % 时在此处与日志中提醒；填写地址则另发邮件。", "budget.none": "还没有预算。", "budget.of": "对象", "budget.used": "已用", "budget.amount": "每月额度", "budget.share": "占比", "budget.hard": "用尽即停", "budget.ends": "是", "budget.remove": "删除",
  "budget.alert": "{when}：{of} 达到 {threshold} %（{month}）", "budget.unit": "单位", "budget.money": "金额", "budget.tokens": "词元", "budget.email": "提醒邮箱", "budget.set": "设定预算",
  never: "永久", unit: "词元",
};

const KEY = "kuaibao.language";
let language = localStorage.getItem(KEY) || (navigator.language.startsWith("zh") ? "zh" : "en");

export const isChinese = () => language === "zh";

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem(KEY, language);
}

export function t(name, values = {}) {
  const text = (language === "zh" ? ZH : EN)[name] ?? EN[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export const catalogues = { en: EN, zh: ZH };
