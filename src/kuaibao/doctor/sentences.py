"""What the doctor says, in English and Chinese: one row a sentence.

A sentence is a `str` in English that also knows its Chinese; the report carries both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kuaibao.doctor.page_words import translator

__all__ = ["Sentence", "chinese_of", "named", "say"]


class Sentence(str):
    """An English sentence with its Chinese."""

    __slots__ = ("chinese",)
    chinese: str


def say(key: str, **values: Any) -> Sentence:
    """The sentence of this key, its values filled in.

    Raises:
        KeyError: There is no such sentence, or a value is missing.
    """
    english, chinese = _TEXTS[key]
    sentence = Sentence(english.format(**values))
    sentence.chinese = chinese.format(
        **{n: v.chinese if isinstance(v, Sentence) else v for n, v in values.items()}
    )
    return sentence


def named(word: str) -> Sentence:
    """A class of work or a verdict, by its name in each language."""
    found = Sentence(word)
    found.chinese = translator("zh")(word)
    return found


def chinese_of(texts: Iterable[str]) -> dict[str, str]:
    """English to Chinese, for the texts that have it."""
    return {str(text): text.chinese for text in texts if isinstance(text, Sentence)}


_TEXTS: dict[str, tuple[str, str]] = {
    # evidence
    "too_few_steps": (
        "only {n} steps over a DataLoader were seen; at least 4 are needed",
        "只看到 DataLoader 上的 {n} 步；至少需要 4 步",
    ),
    "no_loader": (
        "no DataLoader was iterated in the command's processes",
        "该命令的进程中没有遍历任何 DataLoader",
    ),
    "step": (
        "a step takes {step:.3g} ms; with its batch repeated (no data work) {compute:.3g} ms, "
        "over {cycles} alternating cycles and {steps} real steps",
        "一步用 {step:.3g} 毫秒；重复同一批数据（不做数据工作）时用 {compute:.3g} 毫秒，"
        "共 {cycles} 轮交替、{steps} 个真实步",
    ),
    "watched": (
        "a step takes {step:.3g} ms, {compute:.3g} ms of them without waiting for its batch; "
        "{steps} steps were watched and none repeated",
        "一步用 {step:.3g} 毫秒，其中 {compute:.3g} 毫秒不是在等待批次；"
        "观察了 {steps} 步，没有重复任何批次",
    ),
    "share": (
        "{verdict} takes {mid:.0%} of the time ({low:.0%} to {high:.0%})",
        "{verdict} 占 {mid:.0%} 的时间（{low:.0%} 到 {high:.0%}）",
    ),
    "tied": (
        "{other} takes about as much ({share:.0%}): which of the two leads is open; that making "
        "batches holds the loop back is sure, and the cures serve both",
        "{other} 占得差不多（{share:.0%}）：两者谁居首尚无定论；"
        "但可以肯定是制作批次拖慢了循环，办法对两者都有效",
    ),
    "threads_open": (
        "{threads} threads are set where the system names {cores} cores; whether fewer would be "
        "faster could not be measured now: look again on a quieter machine",
        "系统只有 {cores} 个核，却设了 {threads} 个线程；减少线程是否更快，这次没能测出："
        "请在较空闲的机器上再看一次",
    ),
    "ladder": (
        "one batch in one process: files evicted {cold} ms, files warm {warm}, bytes in RAM "
        "{memory}, of it decoding {decode}, stored samples collated {collate}",
        "单进程取一批：文件不在缓存 {cold} 毫秒，文件在缓存 {warm}，字节在内存 {memory}，"
        "其中解码 {decode}，已存样本拼批 {collate}",
    ),
    "ladder_gather": (
        "the same batch taken from a cache of decoded samples: {gather} ms",
        "同一批从已解码样本的缓存中取出：{gather} 毫秒",
    ),
    "waits": (
        "{n:.0f} calls a step wait for a value (.item() etc.)",
        "每步有 {n:.0f} 次调用等待取值（.item() 等）",
    ),
    "loss_calls": (
        "the loss makes {loss:.0f} torch calls a step, the model {model:.0f}",
        "损失函数每步调用 torch {loss:.0f} 次，模型 {model:.0f} 次",
    ),
    "forward_calls": (
        "the model makes {model:.0f} torch calls a step",
        "模型每步调用 torch {model:.0f} 次",
    ),
    "startup": (
        "each iteration over the loader costs {seconds:.3g} s before and after its {batches} "
        "batches",
        "每次遍历 {batches} 批数据，前后启动与收尾要 {seconds:.3g} 秒",
    ),
    "hot_line": (
        "its busiest line is {place} in {function}",
        "最忙的一行是 {function} 中的 {place}",
    ),
    "growth_main": (
        "memory of the loop's process grows by {mb:.2g} MB a step, without end",
        "训练进程的内存每步增长 {mb:.2g} MB，没有止境",
    ),
    "growth_workers": (
        "memory of the workers grows by {mb:.2g} MB a step, without end",
        "工作进程的内存每步增长 {mb:.2g} MB，没有止境",
    ),
    "unreadable_here": (
        "the data set could not be read in the main process: {error}",
        "数据集在主进程中无法读取：{error}",
    ),
    # cures: what to do, and why
    "ram_cache.what": (
        "keep decoded samples in RAM ({share}: {gb:.3g} GB): kuaibao.loading.RamCache(dataset), "
        "with 0 workers",
        "把解码后的样本留在内存（{share}：{gb:.3g} GB）：kuaibao.loading.RamCache(dataset)，"
        "不用工作进程",
    ),
    "ram_cache.why": (
        "each sample comes out the same every epoch, yet is made anew each time",
        "每个样本每轮结果相同，却每次重新生成",
    ),
    "preprocess.what": (
        "decode and resize once, offline: kuaibao.loading.build_store, augment on reading",
        "离线解码并缩放一次：kuaibao.loading.build_store，读取时再做增强",
    ),
    "preprocess.why": (
        "decoding gives the same pixels each epoch; only the augmentation differs",
        "每轮解码得到相同像素，只有增强不同",
    ),
    "torch_optimizer.what": (
        "leave the update to torch.optim with fused=True: one call for all tensors",
        "把更新交给 fused=True 的 torch.optim：一次调用处理所有张量",
    ),
    "torch_optimizer.why": (
        "the update is written by hand, tensor by tensor; Adam over the same {n} tensors, fused, "
        "takes {ms:.3g} ms",
        "更新是逐个张量手写的；对同样的 {n} 个张量，融合的 Adam 需要 {ms:.3g} 毫秒",
    ),
    "preprocess.streamed": (
        "samples of an iterable data set are made anew each epoch; made once and read back they "
        "cost a copy, and can be shuffled",
        "可迭代数据集的样本每轮都重新制作；只制作一次再读回只需一次拷贝，还可以打乱",
    ),
    "preprocess.once": (
        "make the samples once, offline, and store them: kuaibao.loading.build_store",
        "离线把样本制作一次并存下来：kuaibao.loading.build_store",
    ),
    "jpeg_draft.what": (
        "call image.draft('RGB', size) after Image.open: JPEG decodes at 1/2, 1/4 or 1/8",
        "在 Image.open 之后调用 image.draft('RGB', size)：JPEG 按 1/2、1/4 或 1/8 解码",
    ),
    "jpeg_draft.why": (
        "pictures are decoded at full size and then made small",
        "图片按原尺寸解码后才缩小",
    ),
    "workers.what": (
        "num_workers={best} instead of {now}",
        "num_workers={best}，而不是 {now}",
    ),
    "workers.why": (
        "{cores:.2g} cores can really be had; a batch costs {data:.3g} ms and the rest of a step "
        "{compute:.3g} ms; {held} batches will be held ({mb:.3g} MB)",
        "实际可用 {cores:.2g} 个核；一批数据要 {data:.3g} 毫秒，一步的其余部分 {compute:.3g} 毫秒；"
        "将同时持有 {held} 批（{mb:.3g} MB）",
    ),
    "persistent_workers.what": (
        "persistent_workers=True: start the workers once",
        "persistent_workers=True：工作进程只启动一次",
    ),
    "persistent_workers.why": (
        "each epoch starts {n} processes, {share:.0%} of its time",
        "每轮启动 {n} 个进程，占该轮时间的 {share:.0%}",
    ),
    "narrow_dtypes.what": (
        "keep pictures and masks uint8 up to the step, normalise whole batches there: {before:.4g} "
        "MB a batch become {after:.4g}",
        "图片与掩码在进入训练步之前保持 uint8，在那里整批归一化：每批 {before:.4g} MB 变为 "
        "{after:.4g} MB",
    ),
    "narrow_dtypes.why": (
        "every value of the batch fits a narrower type without loss",
        "批中每个值都能无损放进更窄的类型",
    ),
    "batch_gather.what": (
        "give the data set a __getitems__ that takes a whole batch by one indexing call a field",
        "给数据集写 __getitems__，每个字段用一次索引取整批",
    ),
    "batch_gather.why": (
        "samples lie in memory, yet are fetched and stacked one by one",
        "样本已在内存，却逐个取出再堆叠",
    ),
    "malloc_arena.what": (
        "set MALLOC_MMAP_THRESHOLD_=1073741824 and MALLOC_TRIM_THRESHOLD_=2147483647 in the "
        "environment",
        "在环境变量中设置 MALLOC_MMAP_THRESHOLD_=1073741824 与 MALLOC_TRIM_THRESHOLD_=2147483647",
    ),
    "malloc_arena.why": (
        "a batch over 32 MiB is mapped anew each time: {faults:.0f} page faults a batch",
        "超过 32 MiB 的批每次重新映射：每批 {faults:.0f} 次缺页",
    ),
    "stop_growth.workers": (
        "look for lists of Python objects, or caches, in the data set: pack paths and labels into "
        "NumPy arrays, bound what is kept",
        "检查数据集中的 Python 对象列表或缓存：把路径与标签打包成 NumPy 数组，限制保留的数量",
    ),
    "stop_growth.main": (
        "look for what the loop collects each step: store loss.item() or loss.detach(), not the "
        "loss",
        "检查循环每步收集了什么：保存 loss.item() 或 loss.detach()，而不是 loss",
    ),
    "stop_growth.why": (
        "{mb:.2g} MB more a step: memory is full after {steps:.0f} steps",
        "每步多 {mb:.2g} MB：{steps:.0f} 步后内存耗尽",
    ),
    "tensors_not_arrays.what": (
        "let collate give tensors (torch.from_numpy), which travel in shared memory",
        "让 collate 返回张量（torch.from_numpy），经共享内存传送",
    ),
    "tensors_not_arrays.why": (
        "{mb:.3g} MB a batch are pickled through a pipe",
        "每批 {mb:.3g} MB 经管道以 pickle 传送",
    ),
    "fewer_objects.what": (
        "let the workers turn samples into tensors; send no lists of Python objects",
        "让工作进程把样本变成张量；不要传送 Python 对象列表",
    ),
    "sequential_reads.what": (
        "pack the files into shards (kuaibao.loading.build_store), shuffle shards and a buffer",
        "把文件打包成分片（kuaibao.loading.build_store），打乱分片并用缓冲区打乱样本",
    ),
    "sequential_reads.why": (
        "{gb:.3g} GB read in random order, {free:.3g} GB for the page cache: every read misses it",
        "按随机顺序读 {gb:.3g} GB，而页缓存只有 {free:.3g} GB：每次读取都落空",
    ),
    "fused_optimizer.what": ("{name}(…, fused=True)", "{name}(…, fused=True)"),
    "fused_optimizer.why": (
        "{n} parameter tensors are updated one by one",
        "{n} 个参数张量逐个更新",
    ),
    "one_optimizer.what": (
        "give one optimiser all parameters, in groups: their updates run together",
        "用一个优化器管理全部参数（分组）：更新一起进行",
    ),
    "one_optimizer.why": (
        "{n} optimisers step one after the other",
        "{n} 个优化器逐个更新",
    ),
    "vectorize_loss.what": (
        "write the loss as operations on whole tensors; `kuaibao doctor loss` checks it",
        "把损失函数写成整张量的运算；`kuaibao doctor loss` 可以核对",
    ),
    "vectorize_loss.why": (
        "the loss makes {n:.0f} calls on small tensors a step",
        "损失函数每步在小张量上调用 {n:.0f} 次",
    ),
    "fewer_synchronizations.what": (
        "sum on tensors with detach(), ask for the value once in 50 steps; print seldom",
        "用 detach() 在张量上累加，每 50 步取一次值；少打印",
    ),
    "fewer_synchronizations.values": (
        "{n:.0f} values a step are brought to Python one at a time",
        "每步逐个取回 {n:.0f} 个值",
    ),
    "fewer_synchronizations.prints": ("printing stands in the loop's way", "打印拖住了循环"),
    "batched_copies.what": (
        "stack on the host and copy each batch once, in its final type, non_blocking from pinned "
        "memory",
        "在主机上堆叠，每批只复制一次，直接用最终类型；配合锁页内存与 non_blocking",
    ),
    "batched_copies.why": (
        "copies and the Python around them take {share:.0%} of a step",
        "复制及其周围的 Python 占一步的 {share:.0%}",
    ),
    "threads.what": (
        "torch.set_num_threads({n}) or OMP_NUM_THREADS={n}",
        "torch.set_num_threads({n}) 或 OMP_NUM_THREADS={n}",
    ),
    "threads.why": (
        "{threads} threads share {cores:.2g} cores",
        "{threads} 个线程共用 {cores:.2g} 个核",
    ),
    "anomaly_off.what": (
        "torch.autograd.set_detect_anomaly(False)",
        "torch.autograd.set_detect_anomaly(False)",
    ),
    "anomaly_off.why": (
        "anomaly detection keeps a trace of every call and checks every gradient",
        "异常检测记录每次调用并检查每个梯度",
    ),
    "lighter_backward.what": (
        "call backward once a step on the summed loss; no retain_graph, no checkpoint",
        "每步只对总损失调用一次 backward；不用 retain_graph 与 checkpoint",
    ),
    "lighter_backward.why": (
        "backward takes far longer than twice forward",
        "反向传播远远超过前向的两倍",
    ),
    "float32.what": ("model.float()", "model.float()"),
    "float32.why": ("parameters are float64", "参数是 float64"),
    "vectorize_forward.what": (
        "replace loops in forward by one batched call",
        "把 forward 中的循环换成一次整批调用",
    ),
    "vectorize_forward.why": ("forward makes many small calls", "forward 中有许多小调用"),
    "less_python.what": (
        "take the busiest line out of the step, or do it once in many steps; with tiny batches, a "
        "larger batch_size shares the cost",
        "把最忙的一行移出训练步，或隔许多步做一次；批很小时，加大 batch_size 可分摊开销",
    ),
    "less_python.why": ("the loop's own Python takes the time", "循环自己的 Python 用掉了时间"),
    "lazy_setup.what": (
        "do the work before the first batch once and keep its result on disk, or do it when a "
        "sample is asked for",
        "把第一批之前的工作做一次并存盘，或推迟到取样本时再做",
    ),
    "lazy_setup.why": (
        "{seconds:.3g} s go before the first batch",
        "第一批数据之前要 {seconds:.3g} 秒",
    ),
    "distributed_data_parallel.what": (
        "start the rewritten script by torchrun --nproc-per-node N (see the patch); or compute the "
        "loss inside forward, so that only losses are gathered",
        "用 torchrun --nproc-per-node N 启动改写后的脚本（见补丁）；或在 forward 中算损失，"
        "只汇集损失",
    ),
    "distributed_data_parallel.why": (
        "DataParallel gathers all outputs on the first device, every step",
        "DataParallel 每步把全部输出汇集到第一块设备",
    ),
    # warnings
    "warn.seeds": (
        "the data set carries its own random generator: every worker starts with the same state "
        "and draws the same augmentations; seed it from worker_init_fn",
        "数据集自带随机数发生器：每个工作进程从同一状态开始，增强相同；"
        "请在 worker_init_fn 中设种子",
    ),
    "warn.objects": (
        "{n} Python objects in the data set's lists: reading them writes reference counts, so each "
        "worker slowly gets its own copy; pack them into arrays",
        "数据集的列表中有 {n} 个 Python 对象：读取会改写引用计数，各工作进程会慢慢各有一份；"
        "请打包成数组",
    ),
    "warn.data_parallel": (
        "DataParallel gathers {mb:.3g} MB of outputs on the first device each step and computes "
        "the loss there: one process a device (torchrun) needs neither",
        "DataParallel 每步把 {mb:.3g} MB 输出汇集到第一块设备并在那里算损失："
        "每设备一个进程（torchrun）则都不需要",
    ),
    "warn.shared_memory": (
        "{held} queued batches need {mb:.3g} MB of /dev/shm, which has {shm:.3g} MB: a bus error "
        "is near",
        "排队的 {held} 批要 {mb:.3g} MB 的 /dev/shm，而那里只有 {shm:.3g} MB：将出现总线错误",
    ),
    "warn.open_files": (
        "queued batches hold about {n} open files, and {limit} are allowed: raise ulimit -n, or "
        "send fewer tensors a batch",
        "排队的批约持有 {n} 个打开的文件，上限是 {limit}：请提高 ulimit -n，或减少每批的张量数",
    ),
    "warn.growing_files": (
        "open files grow by {a_step:.2g} a step, {n} are open and {limit} are allowed: batches "
        "from workers that are kept hold their files; keep copies (tensor.clone())",
        "每步多打开 {a_step:.2g} 个文件，现有 {n} 个，上限 {limit}："
        "保留工作进程送来的批会占住文件；"
        "请保留副本（tensor.clone()）",
    ),
    "warn.threads": (
        "OMP_NUM_THREADS={threads} times {workers} workers is more than the cores",
        "OMP_NUM_THREADS={threads} 乘以 {workers} 个工作进程，超过核数",
    ),
    "warn.page_cache": (
        "the data set's files ({gb:.3g} GB) do not fit the page cache ({free:.3g} GB) and are read "
        "in random order: from the second epoch on every read goes to the disk",
        "数据集的文件（{gb:.3g} GB）放不进页缓存（{free:.3g} GB），又按随机顺序读取："
        "从第二轮起每次都读磁盘",
    ),
    "warn.first_batch": (
        "the first batch took {seconds:.3g} s, {times:.0f} times the usual wait",
        "第一批用了 {seconds:.3g} 秒，是平常等待的 {times:.0f} 倍",
    ),
}
