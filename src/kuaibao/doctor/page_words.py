"""The page's own words in Chinese; English is the key. Sentences stand in `sentences`."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["LANGUAGES", "translator"]

LANGUAGES = ("en", "zh")


def translator(language: str) -> Callable[[str], str]:
    """Gives a word in this language; what has no translation stays English.

    Raises:
        KeyError: The language is not one of `LANGUAGES`.
    """
    words = {"en": {}, "zh": _CHINESE}[language]
    return lambda text: words.get(text, text)


_CHINESE = {
    # verdicts and classes
    "healthy": "健康",
    "undecided": "未定",
    "disk": "磁盘",
    "decode": "解码",
    "transform": "变换",
    "collate": "拼批",
    "transfer": "进程间传送",
    "host_to_device": "主机到设备",
    "forward": "前向",
    "loss": "损失函数",
    "backward": "反向",
    "optimizer": "优化器",
    "synchronization": "同步等待",
    "python": "循环中的 Python",
    "memory": "内存",
    "startup": "启动",
    "wait": "等待数据",
    "loss or python": "损失或 Python",
    # meanings
    "Nothing in this loop is worth a cure.": "这个循环没有值得治的地方。",
    "The measurements spread too widely, or too little was seen, to name one cause.": (
        "测量过于分散，或看到的太少，无法断定一个原因。"
    ),
    "The loop waits for bytes from the disk.": "循环在等磁盘上的字节。",
    "The loop waits for samples to be decoded.": "循环在等样本解码。",
    "The loop waits for samples to be transformed in Python.": "循环在等样本在 Python 中变换。",
    "The loop waits for samples to be put together into batches.": "循环在等样本拼成批。",
    "The loop waits for batches to come from the workers to its process.": (
        "循环在等批数据从工作进程传来。"
    ),
    "Copies to the device take the time.": "时间花在复制到设备上。",
    "The forward pass takes far longer than its work needs.": "前向传播远远超过其工作所需。",
    "The loss takes the time, not the model.": "时间花在损失函数，而不是模型。",
    "The backward pass takes far longer than its work needs.": "反向传播远远超过其工作所需。",
    "The optimiser's step takes the time.": "时间花在优化器更新上。",
    "The loop keeps asking for single values, or prints.": "循环不断取单个值，或不断打印。",
    "The loop's own Python takes the time.": "时间花在循环自己的 Python 上。",
    "Memory holds the loop up: it grows, or is mapped anew for each batch.": (
        "内存拖住了循环：它在增长，或每批都重新映射。"
    ),
    "Starting takes the time: of workers, of each epoch, or of the script.": (
        "时间花在启动上：工作进程、每一轮或脚本本身。"
    ),
    # the page
    "kuaibao doctor": "快报医生",
    "samples": "个样本",
    "ended by": "结束于",
    "nothing": "无",
    "script": "脚本自己结束",
    "seconds": "时间到",
    "settled": "结论已稳",
    "Evidence": "证据",
    "Where a step’s time goes": "一步的时间去了哪里",
    "class": "类别",
    "share": "占比",
    "90 % range": "90 % 区间",
    "Advice": "建议",
    "predicted": "预计",
    "achieved": "实测",
    "same batches": "相同的批",
    "other batches": "不同的批",
    "compared": "比较了",
    "measured": "已测",
    "Patch": "补丁",
    "The ladder: one batch, one thing taken away after another": "阶梯：同一批，逐项拿掉一件事",
    "The first steps": "最初几步",
    "Every step that was looked at": "观察到的每一步",
    "Rates": "速率",
    "Memory": "内存",
    "A batch holds {size}. With {workers} workers and a prefetch of {prefetch} the loader holds "
    "{held} of them:": (
        "一批占 {size}。{workers} 个工作进程、预取 {prefetch} 批时，加载器同时持有 {held} 批："
    ),
    "in the narrowest types that lose nothing a batch would be {size}": (
        "用无损的最窄类型，一批为 {size}"
    ),
    "Busiest lines": "最忙的行",
    "line": "行",
    "function": "函数",
    "during": "所在阶段",
    "probe": "探测",
    "setup": "准备",
    "between": "前向与反向之间",
    "Machine and settings": "机器与设置",
    # charts
    "real batch": "真实批",
    "batch repeated": "重复的批",
    "treated": "治疗后",
    "as many threads as cores": "线程数等于核数",
    "device batch repeated": "重复的设备批",
    "without anomaly detection": "不做异常检测",
    "the loop's process": "训练进程",
    "its workers": "工作进程",
    "as it runs": "现在",
    "if data cost nothing": "若数据不花时间",
    "one process prepares": "单进程准备",
    "the same, files evicted": "同上，文件不在缓存",
    "S0 one device batch again": "S0 重复一个设备批",
    "S1 one host batch again": "S1 重复一个主机批",
    "S2 stored samples, collated": "S2 已存样本拼批",
    "S3 bytes from RAM": "S3 内存中的字节",
    "S4 warm files": "S4 缓存中的文件",
    "S5 evicted files": "S5 不在缓存的文件",
    "where a step's time goes": "一步的时间去了哪里",
    "time of each step": "每步用时",
    "timeline of the first steps": "最初几步的时间线",
    "memory over time": "内存随时间的变化",
    "predicted and achieved speed-ups": "预计与实测的加速",
    "the ladder of ablations, seconds a batch": "消融阶梯，每批秒数",
    "rates": "速率",
    "samples/s": "样本/秒",
}
