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
