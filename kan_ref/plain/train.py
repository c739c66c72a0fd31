"""Training with Adam: Kingma & Ba, ICLR 2015, Algorithm 1 (with g_mean for m, g_square for v)."""

import numpy as np

from kan_ref.plain.network import to_layers, to_theta, value_and_grad


def fit(layers, x, y, n_steps, alpha=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Return layers trained on x (batch, n_in), y (batch, n_out), and the error at each step."""
    theta, g_mean, g_square, values = to_theta(layers), 0.0, 0.0, []
    for q in range(1, n_steps + 1):
        value, g = value_and_grad(to_layers(theta, layers), x, y)
        values.append(value)
        # [eq:plain-adam]
        g_mean = beta1 * g_mean + (1.0 - beta1) * g
        g_square = beta2 * g_square + (1.0 - beta2) * (g * g)
        mean, square = g_mean / (1.0 - beta1**q), g_square / (1.0 - beta2**q)
        theta = theta - alpha * mean / (np.sqrt(square) + epsilon)
        # [/eq:plain-adam]
    return to_layers(theta, layers), values
