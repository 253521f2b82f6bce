"""The public code's model in PyTorch: times training steps for compare.py.

Hugging Face's GPT2Model between two linear maps, as in Garg et al.'s models.py, without dropout and cache.
"""

import json
import sys

import torch
from transformers import GPT2Config, GPT2Model

from peer import BATCH, DIMS, POINTS, SIZES, serve


class Transformer(torch.nn.Module):
    def __init__(self, width, layers, heads, positions):
        super().__init__()
        configuration = GPT2Config(
            n_positions=positions, n_embd=width, n_layer=layers, n_head=heads, resid_pdrop=0.0,
            embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False)
        self.read_in = torch.nn.Linear(DIMS, width)
        self.backbone = GPT2Model(configuration)
        # Never used: the tokens are vectors.
        self.backbone.wte = torch.nn.Embedding(1, width)
        self.read_out = torch.nn.Linear(width, 1)

    def forward(self, tokens):
        hidden = self.backbone(inputs_embeds=self.read_in(tokens)).last_hidden_state
        return self.read_out(hidden)[..., 0]


def prompts(is_doubled):
    """Interleaved tokens [B, T, d] and the labels of the last part."""
    x = torch.randn(BATCH, POINTS, DIMS)
    f = torch.einsum("bnd,bd->bn", x, torch.randn(BATCH, DIMS))
    g = f + f * f

    def interleaved(labels):
        y = torch.zeros(BATCH, POINTS, DIMS)
        y[:, :, 0] = labels
        return torch.stack((x, y), dim=2).reshape(BATCH, 2 * POINTS, DIMS)

    tokens = interleaved(g)
    return (torch.cat((interleaved(f), tokens), dim=1) if is_doubled else tokens), g


def main():
    mode, cell, threads = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    is_doubled = cell["layout"] == "cft"
    model = Transformer(*SIZES[cell["model"]], positions=4 * POINTS)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    run = torch.compile(model) if mode == "compile" else model

    def step():
        tokens, labels = prompts(is_doubled)
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "autocast"):
            predictions = run(tokens)[:, -2 * POINTS::2]
        loss = (predictions.float() - labels).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    serve(step)


if __name__ == "__main__":
    main()
