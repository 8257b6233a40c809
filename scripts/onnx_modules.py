"""Small modules of PyTorch of the kinds that people export, seeded: name -> (module, example inputs). For scripts/check_onnx.py."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Lambda(nn.Module):
    """Layers, and a function of what they give."""

    def __init__(self, function, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.function = function

    def forward(self, *inputs):
        return self.function(self, *inputs)


def conv(inputs, outputs, size=3, **options):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False, **options), nn.BatchNorm2d(outputs))


class UNet(nn.Module):
    def __init__(self, up):
        super().__init__()
        self.first, self.second, self.bottom = conv(3, 8), conv(8, 16), conv(16, 32)
        if up == "transpose":
            self.up2, self.up1 = nn.ConvTranspose2d(32, 16, 2, stride=2), nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1)
        else:
            options = {} if up == "nearest" else {"align_corners": False}
            self.up2 = nn.Sequential(nn.Upsample(scale_factor=2, mode=up, **options), nn.Conv2d(32, 16, 1))
            self.up1 = nn.Sequential(nn.Upsample(scale_factor=2, mode=up, **options), nn.Conv2d(16, 8, 1))
        self.join2, self.join1, self.out = conv(32, 16), conv(16, 8), nn.Conv2d(8, 4, 1)

    def forward(self, x):
        a = F.relu(self.first(x))
        b = F.relu(self.second(F.max_pool2d(a, 2)))
        c = F.relu(self.bottom(F.max_pool2d(b, 2)))
        b = F.relu(self.join2(torch.cat([self.up2(c), b], 1)))
        return self.out(F.relu(self.join1(torch.cat([self.up1(b), a], 1))))


class Attention(nn.Module):
    """Heads by view and permute, or by einsum."""

    def __init__(self, width, heads, einsum=False):
        super().__init__()
        self.heads, self.einsum = heads, einsum
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scale = 1 / math.sqrt(c // self.heads)
        if self.einsum:
            weights = (torch.einsum("bhqd,bhkd->bhqk", q, k) * scale).softmax(-1)
            return self.out(torch.einsum("bhqk,bhkd->bqhd", weights, v).reshape(n, t, c))
        weights = (q @ k.transpose(-2, -1) * scale).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, c))


class CausalAttention(nn.Module):
    """With a mask of ones and zeros among its buffers, as in small language models."""

    def __init__(self, width, heads, steps):
        super().__init__()
        self.heads, self.qkv = heads, nn.Linear(width, 3 * width)
        self.register_buffer("mask", torch.tril(torch.ones(steps, steps)).view(1, 1, steps, steps))

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (each.view(n, t, self.heads, c // self.heads).transpose(1, 2) for each in self.qkv(x).split(c, 2))
        scores = (q @ k.transpose(-2, -1) / math.sqrt(k.shape[-1])).masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf"))
        return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c)


class Transformer(nn.Module):
    def __init__(self, width, heads, **options):
        super().__init__()
        self.norm1, self.norm2, self.attention = nn.LayerNorm(width), nn.LayerNorm(width), Attention(width, heads, **options)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 32))
        self.position = nn.Parameter(torch.randn(1, 17, 32))
        self.blocks = nn.Sequential(Transformer(32, 4), Transformer(32, 4))
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.blocks(x)[:, 0])


class SqueezeExcite(nn.Module):
    def __init__(self, channels, activation):
        super().__init__()
        self.down, self.up, self.activation = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1), activation

    def forward(self, x):
        return x * torch.sigmoid(self.up(self.activation(self.down(x.mean((2, 3), keepdim=True)))))


class Causal(nn.Module):
    """A block of a temporal convolutional network, padded in front by F.pad or by cutting the end off."""

    def __init__(self, inputs, outputs, dilation, chomps):
        super().__init__()
        self.pad, self.chomps = 2 * dilation, chomps
        self.conv = nn.Conv1d(inputs, outputs, 3, dilation=dilation, padding=self.pad if chomps else 0)
        self.skip = nn.Conv1d(inputs, outputs, 1)

    def forward(self, x):
        y = self.conv(x)[:, :, : -self.pad] if self.chomps else self.conv(F.pad(x, (self.pad, 0)))
        return F.relu(F.relu(y) + self.skip(x))


class Shuffle(nn.Module):
    def forward(self, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Ghost(nn.Module):
    """Half of the channels made from the other half."""

    def __init__(self):
        super().__init__()
        self.first, self.cheap = conv(8, 8, 1), conv(8, 8, 3, groups=8)

    def forward(self, x):
        a, b = x.chunk(2, 1)
        y = F.relu(self.first(a) + b)
        return torch.cat([y, F.relu(self.cheap(y))], 1)


class Detector(nn.Module):
    """Heads of two sizes, flattened and joined, boxes and classes apart, as one-stage detectors have them."""

    def __init__(self, classes=3):
        super().__init__()
        self.classes = classes
        self.first, self.second = conv(3, 8, 3, stride=2), conv(8, 16, 3, stride=2)
        self.heads = nn.ModuleList([nn.Conv2d(8, 4 + classes, 1), nn.Conv2d(16, 4 + classes, 1)])

    def forward(self, x):
        a = F.silu(self.first(x))
        b = F.silu(self.second(a))
        rows = torch.cat([head(y).view(1, 4 + self.classes, -1) for head, y in zip(self.heads, (a, b))], 2)
        boxes, scores = rows.split([4, self.classes], 1)
        return torch.cat([boxes * 2 - 1, scores.sigmoid()], 1)


class Distances(nn.Module):
    """The expected value of a softmax over bins, as in distribution focal loss."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4 * 8, 1)
        self.bins = nn.Conv2d(8, 1, 1, bias=False)
        self.bins.weight.data[:] = torch.arange(8.0).view(1, 8, 1, 1)

    def forward(self, x):
        y = self.conv(x).flatten(2)
        return self.bins(y.view(1, 4, 8, -1).transpose(2, 1).softmax(1)).view(1, 4, -1)


class Steps(nn.Module):
    """A recurrent layer unrolled by hand, as a way out of GRU."""

    def __init__(self, features, width, steps):
        super().__init__()
        self.cell, self.steps, self.width = nn.GRUCell(features, width), steps, width
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        state = torch.zeros(1, self.width)
        for t in range(self.steps):
            state = self.cell(x[:, t], state)
        return self.out(state)


def pictures():
    return torch.randn(1, 3, 16, 16)


def maps(channels=16, side=8):
    return torch.randn(1, channels, side, side)


def series(channels=4, steps=20):
    return torch.randn(1, channels, steps)


def activations():
    layers = [
        nn.Hardswish(),
        nn.Mish(),
        nn.SiLU(),
        nn.GELU(),
        nn.GELU(approximate="tanh"),
        nn.ELU(),
        nn.SELU(),
        nn.CELU(0.7),
        nn.PReLU(),
        nn.PReLU(8),
        nn.LeakyReLU(0.2),
        nn.Hardsigmoid(),
        nn.Hardtanh(-0.5, 0.7),
        nn.Softplus(),
        nn.Softsign(),
        nn.ReLU6(),
        nn.LogSigmoid(),
        nn.Tanhshrink(),
        nn.Softshrink(0.3),
        nn.Hardshrink(0.3),
        nn.Threshold(0.1, -0.2),
        nn.Tanh(),
        nn.Softplus(2.0),
    ]
    return nn.Sequential(nn.Conv2d(3, 8, 3), *[nn.Sequential(layer, nn.Conv2d(8, 8, 1)) for layer in layers])


def modules():
    """Made again on every call, from the same seeds."""
    every = {
        "conv1d_bn": (
            lambda: nn.Sequential(
                nn.Conv1d(4, 8, 5, stride=2, padding=2, bias=False),
                nn.BatchNorm1d(8),
                nn.ReLU(),
                nn.MaxPool1d(3, 2),
                nn.Conv1d(8, 8, 3, groups=8),
                nn.AvgPool1d(2),
                nn.AdaptiveAvgPool1d(1),
                nn.Flatten(),
                nn.Linear(8, 3),
            ),
            series,
        ),
        "mlp_bn": (
            lambda: nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 4), nn.Softmax(1)),
            lambda: torch.randn(1, 10),
        ),
        "mlp_residual": (
            lambda: Lambda(
                lambda m, x: m.out(m.norm(x + m.two(F.silu(m.one(x))))),
                one=nn.Linear(10, 20),
                two=nn.Linear(20, 10),
                norm=nn.LayerNorm(10),
                out=nn.Linear(10, 2),
            ),
            lambda: torch.randn(1, 10),
        ),
        "unet_transpose": (lambda: UNet("transpose"), pictures),
        "unet_nearest": (lambda: UNet("nearest"), pictures),
        "unet_bilinear": (lambda: UNet("bilinear"), pictures),
        "vit": (ViT, pictures),
        "transformer_einsum": (lambda: Transformer(16, 2, einsum=True), lambda: torch.randn(1, 6, 16)),
        "encoder_layer": (lambda: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), lambda: torch.randn(1, 6, 16)),
        "multihead": (
            lambda: Lambda(
                lambda m, x: m.attention(x, x, x, need_weights=False)[0], attention=nn.MultiheadAttention(16, 4, batch_first=True)
            ),
            lambda: torch.randn(1, 6, 16),
        ),
        "scaled_dot_product": (
            lambda: Lambda(
                lambda m, x: F.scaled_dot_product_attention(m.q(x), m.k(x), m.v(x)),
                q=nn.Linear(16, 8),
                k=nn.Linear(16, 8),
                v=nn.Linear(16, 8),
            ),
            lambda: torch.randn(1, 6, 16),
        ),
        "causal_attention": (
            lambda: Lambda(
                lambda m, x: F.scaled_dot_product_attention(m.q(x), m.k(x), m.v(x), is_causal=True),
                q=nn.Linear(16, 8),
                k=nn.Linear(16, 8),
                v=nn.Linear(16, 8),
            ),
            lambda: torch.randn(1, 6, 16),
        ),
        "causal_masked": (lambda: CausalAttention(16, 2, 8), lambda: torch.randn(1, 6, 16)),
        "norms": (
            lambda: nn.Sequential(
                nn.Conv2d(3, 8, 3),
                nn.GroupNorm(4, 8),
                nn.ReLU(),
                nn.InstanceNorm2d(8, affine=True),
                nn.Conv2d(8, 8, 1),
                nn.GroupNorm(1, 8),
                nn.LocalResponseNorm(3),
            ),
            pictures,
        ),
        "norms_1d": (lambda: nn.Sequential(nn.Conv1d(4, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.InstanceNorm1d(8)), series),
        "convnext_norm": (
            lambda: Lambda(
                lambda m, x: x + m.two(F.gelu(m.one(m.norm(m.depth(x).permute(0, 2, 3, 1))))).permute(0, 3, 1, 2),
                depth=nn.Conv2d(16, 16, 7, padding=3, groups=16),
                norm=nn.LayerNorm(16),
                one=nn.Linear(16, 32),
                two=nn.Linear(32, 16),
            ),
            maps,
        ),
        "rms_norm": (lambda: nn.Sequential(nn.Linear(10, 16), nn.RMSNorm(16), nn.Linear(16, 4)), lambda: torch.randn(1, 10)),
        "activations": (activations, pictures),
        "squeeze_excite": (
            lambda: nn.Sequential(conv(3, 16), nn.SiLU(), SqueezeExcite(16, nn.SiLU()), SqueezeExcite(16, nn.ReLU())),
            pictures,
        ),
        "pixel_shuffle": (
            lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 12, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(3, 3, 3)),
            pictures,
        ),
        "depthwise_separable": (
            lambda: nn.Sequential(
                conv(3, 8, 3, stride=2),
                nn.ReLU6(),
                conv(8, 16, 3, groups=8),
                nn.ReLU6(),
                conv(16, 16, 1),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(16, 4),
            ),
            pictures,
        ),
        "adaptive_pools": (
            lambda: Lambda(
                lambda m, x: m.out(
                    torch.cat(
                        [
                            F.adaptive_avg_pool2d(x, 4).flatten(1),
                            F.adaptive_max_pool2d(x, (2, 1)).flatten(1),
                            F.adaptive_avg_pool2d(x, (2, 8)).flatten(1),
                        ],
                        1,
                    )
                ),
                out=nn.Linear(16 * 34, 3),
            ),
            maps,
        ),
        "pools": (lambda: Lambda(lambda m, x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True) + F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)), maps),
        "max_pool_dilated": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(3, stride=2, padding=1, dilation=3)), pictures),
        "tcn": (lambda: nn.Sequential(Causal(4, 8, 1, True), Causal(8, 8, 2, False), Causal(8, 8, 4, True)), series),
        "channel_shuffle": (lambda: nn.Sequential(conv(16, 16, 1, groups=2), Shuffle(), conv(16, 16, 3, groups=16)), maps),
        "chunk_and_concat": (Ghost, maps),
        "detector": (Detector, pictures),
        "distances": (Distances, pictures),
        "slices": (
            lambda: Lambda(
                lambda m, x: m.conv(torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1))[
                    :, 1:-1, :, 2:
                ],
                conv=nn.Conv2d(12, 8, 3),
            ),
            pictures,
        ),
        "where": (
            lambda: Lambda(lambda m, x: torch.where(m.conv(x) > 0.1, x[:, :1] * 2, m.conv(x).clamp(-1, 1)), conv=nn.Conv2d(3, 1, 1)),
            pictures,
        ),
        "masked_fill": (
            lambda: Lambda(lambda m, x: m.l(x).masked_fill(x < 0, -1e4).softmax(-1), l=nn.Linear(8, 8)),
            lambda: torch.randn(1, 5, 8),
        ),
        "normalize": (
            lambda: Lambda(
                lambda m, x: F.normalize(m.l(x).flatten(1), dim=1) @ F.normalize(m.w, dim=0),
                l=nn.Linear(8, 8),
                w=nn.Parameter(torch.randn(40, 3)),
            ),
            lambda: torch.randn(1, 5, 8),
        ),
        "cosine": (lambda: Lambda(lambda m, x: F.cosine_similarity(m.l(x), x, dim=-1), l=nn.Linear(8, 8)), lambda: torch.randn(1, 5, 8)),
        "cumulative": (lambda: Lambda(lambda m, x: torch.cumsum(m.l(x), 1) + x.flip(1), l=nn.Linear(8, 8)), lambda: torch.randn(1, 5, 8)),
        "statistics": (
            lambda: Lambda(
                lambda m, x: torch.cat([x.mean(2), x.std(2), x.var(2, unbiased=False), x.amax(2), x.norm(dim=2), x.min(2)[0]], 1)
            ),
            series,
        ),
        "attentive_pooling": (
            lambda: Lambda(lambda m, x: torch.bmm(torch.softmax(m.a(x), 2), x.transpose(1, 2)).squeeze(1), a=nn.Conv1d(4, 1, 1)),
            series,
        ),
        "bilinear_pool": (
            lambda: Lambda(lambda m, x: (m.c(x).flatten(2) @ m.c(x).flatten(2).transpose(1, 2)).flatten(1), c=nn.Conv2d(3, 4, 1)),
            pictures,
        ),
        "gram_einsum": (lambda: Lambda(lambda m, x: torch.einsum("nchw,ndhw->ncd", m.c(x), x), c=nn.Conv2d(3, 4, 1)), pictures),
        "linear_einsum": (
            lambda: Lambda(
                lambda m, x: torch.einsum("btc,dc->btd", x, m.w) + torch.einsum("bc,bc->b", x[:, 0], x[:, 1])[:, None, None],
                w=nn.Parameter(torch.randn(6, 8)),
            ),
            lambda: torch.randn(1, 5, 8),
        ),
        "view_permute": (
            lambda: Lambda(
                lambda m, x: m.out(m.conv(x).permute(0, 2, 3, 1).reshape(1, -1, 6).flatten(1)),
                conv=nn.Conv2d(3, 6, 3, stride=4),
                out=nn.Linear(96, 3),
            ),
            pictures,
        ),
        "lstm": (
            lambda: Lambda(lambda m, x: m.out(m.rnn(x)[0][:, -1]), rnn=nn.LSTM(4, 8, batch_first=True), out=nn.Linear(8, 2)),
            lambda: torch.randn(1, 10, 4),
        ),
        "gru": (
            lambda: Lambda(lambda m, x: m.out(m.rnn(x)[0][:, -1]), rnn=nn.GRU(4, 8, batch_first=True), out=nn.Linear(8, 2)),
            lambda: torch.randn(1, 10, 4),
        ),
        "lstm_both_ways": (
            lambda: Lambda(
                lambda m, x: m.out(m.rnn(x)[0].mean(1)),
                rnn=nn.LSTM(4, 8, num_layers=2, bidirectional=True, batch_first=True),
                out=nn.Linear(16, 2),
            ),
            lambda: torch.randn(1, 10, 4),
        ),
        "gru_steps_first": (lambda: Lambda(lambda m, x: m.rnn(x)[0], rnn=nn.GRU(4, 8, num_layers=2)), lambda: torch.randn(10, 1, 4)),
        "lstm_last_states": (
            lambda: Lambda(lambda m, x: torch.cat(m.rnn(x)[1], 2).squeeze(0), rnn=nn.LSTM(4, 8, batch_first=True)),
            lambda: torch.randn(1, 10, 4),
        ),
        "conv_rnn": (
            lambda: Lambda(
                lambda m, x: m.out(m.rnn(F.relu(m.conv(x)).transpose(1, 2))[0][:, -1]),
                conv=nn.Conv1d(3, 6, 5, stride=2),
                rnn=nn.RNN(6, 8, nonlinearity="relu", batch_first=True),
                out=nn.Linear(8, 4),
            ),
            lambda: torch.randn(1, 3, 33),
        ),
        "gru_cells": (lambda: Steps(4, 8, 5), lambda: torch.randn(1, 5, 4)),
        "conv_lstm_free": (
            lambda: Lambda(lambda m, x: torch.stack([m.c(x[:, :, t]) for t in range(3)], 1).mean(1), c=nn.Conv1d(4, 4, 1)),
            lambda: torch.randn(1, 4, 3, 6),
        ),
        "interpolate": (
            lambda: Lambda(
                lambda m, x: F.interpolate(m.c(x), size=(32, 32), mode="bilinear", align_corners=True)
                + F.interpolate(x[:, :1], scale_factor=2),
                c=nn.Conv2d(3, 1, 1),
            ),
            pictures,
        ),
        "reflection": (
            lambda: nn.Sequential(
                nn.ReflectionPad2d(2),
                nn.Conv2d(3, 4, 5),
                nn.ReplicationPad2d(1),
                nn.Conv2d(4, 4, 3),
                nn.ZeroPad2d((1, 0, 2, 0)),
                nn.ConstantPad2d(1, 0.5),
                nn.Conv2d(4, 2, 3, dilation=2),
            ),
            pictures,
        ),
        "conv_transpose": (
            lambda: nn.Sequential(
                nn.ConvTranspose2d(3, 6, 3, stride=2, padding=1, output_padding=1),
                nn.ReLU(),
                nn.ConvTranspose2d(6, 4, 3, groups=2),
                nn.ConvTranspose2d(4, 2, 3, dilation=2),
            ),
            maps_of(3),
        ),
        "conv_transpose_1d": (
            lambda: nn.Sequential(nn.ConvTranspose1d(4, 6, 4, stride=2, padding=1), nn.ReLU(), nn.Conv1d(6, 2, 3, padding="same")),
            series,
        ),
        "two_inputs": (
            lambda: Lambda(
                lambda m, x, z: (m.a(x).mean((2, 3)) + m.b(z), m.a(x).flatten(2).amax(2)), a=nn.Conv2d(3, 6, 3), b=nn.Linear(4, 6)
            ),
            lambda: (pictures(), torch.randn(1, 4)),
        ),
        "weight_norm": (
            lambda: nn.Sequential(
                nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 6, 3)),
                nn.ReLU(),
                nn.utils.parametrizations.spectral_norm(nn.Conv2d(6, 4, 1)),
            ),
            pictures,
        ),
        "standardized": (
            lambda: Lambda(
                lambda m, x: m.conv((x - m.mean) / m.std),
                conv=nn.Conv2d(3, 4, 3),
                mean=nn.Parameter(torch.rand(1, 3, 1, 1)),
                std=nn.Parameter(torch.rand(1, 3, 1, 1) + 0.5),
            ),
            pictures,
        ),
        "gates": (
            lambda: Lambda(
                lambda m, x: F.glu(m.c(x), 1) * torch.tanh(m.d(x)) + torch.exp(-x.abs()).mean(1, keepdim=True),
                c=nn.Conv2d(3, 8, 3, padding=1),
                d=nn.Conv2d(3, 4, 1),
            ),
            pictures,
        ),
        "argmax": (lambda: Lambda(lambda m, x: m.c(x).argmax(1).float(), c=nn.Conv2d(3, 5, 1)), pictures),
        "roll": (lambda: Lambda(lambda m, x: m.c(torch.roll(x, (1, -2), (2, 3))), c=nn.Conv2d(3, 5, 1)), pictures),
        "windows": (
            lambda: Lambda(
                lambda m, x: m.l(x.view(1, 16, 2, 4, 2, 4).permute(0, 2, 4, 3, 5, 1).reshape(4, 16, 16))
                .reshape(1, 2, 2, 4, 4, 16)
                .permute(0, 5, 1, 3, 2, 4)
                .reshape(1, 16, 8, 8),
                l=nn.Linear(16, 16),
            ),
            maps,
        ),
        "unfold": (lambda: Lambda(lambda m, x: m.l(x.unfold(2, 4, 2).flatten(2)), l=nn.Linear(9 * 4, 2)), series),
    }
    for index, (name, (make, example)) in enumerate(every.items()):
        torch.manual_seed(index)
        module = make()
        inputs = example()
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        module.train()
        with torch.no_grad():
            for layer in module.modules():
                if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                    layer.running_mean.normal_(0, 0.3)
                    layer.running_var.uniform_(0.5, 2)
        yield name, module.eval(), inputs


def maps_of(channels):
    return lambda: maps(channels)
