"""Small models of every family, by transformers and by us."""

import torch
import transformers


def hub_model(family, seed=0, **more):
    """A transformers model with random weights (all of them: biases, norms and heads too)."""
    torch.manual_seed(seed)
    if family == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=97, n_positions=48, n_embd=32, n_layer=3, n_head=4, bos_token_id=96,
            eos_token_id=96, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, **more,
        )  # fmt: skip
        model = transformers.GPT2LMHeadModel(config)
    elif family == "imagegpt":
        config = transformers.ImageGPTConfig(
            vocab_size=33, n_positions=48, n_embd=32, n_layer=3, n_head=4, resid_pdrop=0,
            embd_pdrop=0, attn_pdrop=0, **more,
        )  # fmt: skip
        model = transformers.ImageGPTForCausalImageModeling(config)
    else:
        sizes = {"encoder_attention_heads": 4, "encoder_ffn_dim": 64} | more
        config = transformers.PegasusConfig(
            vocab_size=110, d_model=32, encoder_layers=2, decoder_layers=2,
            decoder_attention_heads=4, decoder_ffn_dim=64, max_position_embeddings=40,
            dropout=0, attention_dropout=0, activation_dropout=0, **sizes,
        )  # fmt: skip
        model = transformers.PegasusForConditionalGeneration(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if family == "imagegpt" and name.endswith(".bias"):
                parameter.zero_()
            elif parameter.dim() == 1 and "bias" not in name:
                parameter.uniform_(0.5, 1.5)
            elif "embed_positions" not in name:
                parameter.normal_(0, 0.15)
        if family == "pegasus":
            model.final_logits_bias.normal_(0, 0.3)
    return model.eval()
