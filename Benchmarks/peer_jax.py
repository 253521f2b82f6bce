"""The same model in JAX, one jitted step: times training steps for compare.py."""

import functools
import json
import sys

import jax
import jax.numpy as jnp

from peer import BATCH, DIMS, POINTS, SIZES, serve


def initial(key, width, layers, positions):
    keys = iter(jax.random.split(key, 4 * layers + 3))

    def matrix(rows, columns):
        return 0.02 * jax.random.normal(next(keys), (rows, columns))

    def linear(rows, columns):
        return {"w": matrix(rows, columns), "b": jnp.zeros(columns)}

    def norm():
        return {"g": jnp.ones(width), "b": jnp.zeros(width)}

    blocks = [
        {"n1": norm(), "qkv": linear(width, 3 * width), "proj": linear(width, width), "n2": norm(),
         "up": linear(width, 4 * width), "down": linear(4 * width, width)}
        for _ in range(layers)]
    return {"in": linear(DIMS, width), "positions": matrix(positions, width), "blocks": blocks,
            "norm": norm(), "out": linear(width, 1)}


def linear(x, p):
    return x @ p["w"] + p["b"]


def norm(x, p):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * p["g"] + p["b"]


def block(x, p, heads):
    batch, length, width = x.shape
    q, k, v = jnp.split(linear(norm(x, p["n1"]), p["qkv"]), 3, axis=-1)

    def split(t):
        return t.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)

    scores = split(q) @ split(k).transpose(0, 1, 3, 2) / jnp.sqrt(width / heads)
    scores = jnp.where(jnp.tril(jnp.ones((length, length), bool)), scores, -jnp.inf)
    mixed = (jax.nn.softmax(scores) @ split(v)).transpose(0, 2, 1, 3).reshape(x.shape)
    x = x + linear(mixed, p["proj"])
    return x + linear(jax.nn.gelu(linear(norm(x, p["n2"]), p["up"]), approximate=True), p["down"])


def prompts(key, is_doubled):
    kx, kw = jax.random.split(key)
    x = jax.random.normal(kx, (BATCH, POINTS, DIMS))
    f = jnp.einsum("bnd,bd->bn", x, jax.random.normal(kw, (BATCH, DIMS)))
    g = f + f * f

    def interleaved(labels):
        y = jnp.zeros((BATCH, POINTS, DIMS)).at[:, :, 0].set(labels)
        return jnp.stack((x, y), axis=2).reshape(BATCH, 2 * POINTS, DIMS)

    tokens = interleaved(g)
    return (jnp.concatenate((interleaved(f), tokens), axis=1) if is_doubled else tokens), g


def loss(parameters, tokens, labels, heads):
    x = linear(tokens, parameters["in"]) + parameters["positions"][: tokens.shape[1]]
    for p in parameters["blocks"]:
        x = block(x, p, heads)
    predictions = linear(norm(x, parameters["norm"]), parameters["out"])[..., 0]
    return ((predictions[:, -2 * POINTS::2] - labels) ** 2).mean()


@functools.partial(jax.jit, static_argnames=("heads", "is_doubled"), donate_argnums=(0, 1, 2))
def step(parameters, first, second, number, key, heads, is_doubled):
    tokens, labels = prompts(jax.random.fold_in(key, number.astype(jnp.int32)), is_doubled)
    value, gradients = jax.value_and_grad(loss)(parameters, tokens, labels, heads)
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradients)))
    gradients = jax.tree.map(lambda g: g * jnp.minimum(1, 1 / (norm + 1e-6)), gradients)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    scale1, scale2 = 1 / (1 - 0.9 ** number), 1 / (1 - 0.999 ** number)
    parameters = jax.tree.map(
        lambda p, m, v: p - 1e-4 * m * scale1 / (jnp.sqrt(v * scale2) + 1e-8), parameters, first, second)
    return parameters, first, second, value


def main():
    cell = json.loads(sys.argv[2])
    width, layers, heads = SIZES[cell["model"]]
    is_doubled = cell["layout"] == "cft"
    key = jax.random.key(0)
    parameters = initial(key, width, layers, 4 * POINTS)
    first, second = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
    number = 0

    def once():
        nonlocal parameters, first, second, number
        number += 1
        parameters, first, second, value = step(
            parameters, first, second, jnp.float32(number), key, heads, is_doubled)
        return float(value)

    serve(once)


if __name__ == "__main__":
    main()
