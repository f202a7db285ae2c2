"""GPT: packed text, training, fine-tuning, few-shot evaluation."""

from kuaibao.gpt.corpus import TokenCorpus, prepare_corpus
from kuaibao.gpt.documents import iterate_documents
from kuaibao.gpt.finetuning import finetune, read_examples

__all__ = ["TokenCorpus", "finetune", "iterate_documents", "prepare_corpus", "read_examples"]
