"""A small model with its tokeniser in a folder."""

from kuaibao.transformer import TransformerConfig, build_model, save_pretrained
from kuaibao.transformer.tokenizers import train_byte_level_bpe

TEXT = ["the cat sat on the mat", "a dog ran in the sun", "red green blue", "快报 是 一份 简报"]


def small_model(folder, seed=0, **more):
    words = train_byte_level_bpe(TEXT * 5, 280)
    sizes = {"n_positions": 48, "n_embd": 32, "n_layer": 2, "n_head": 2} | more
    config = TransformerConfig(
        vocab_size=words.vocab_size, eos_id=words.eos_id, start_id=words.eos_id, **sizes
    )
    model = build_model(config, seed=seed)
    save_pretrained(model, folder)
    words.save(folder)
    return model, words
