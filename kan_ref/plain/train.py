"""Training with Adam: Kingma & Ba, ICLR 2015, Algorithm 1, in its letters."""

import numpy as np

from kan_ref.plain.network import to_layers, to_theta, value_and_grad


def fit(layers, x, y, n_steps, alpha=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Return layers trained on x (batch, n_in), y (batch, n_out), and the error at each step."""
    theta, m, v, values = to_theta(layers), 0.0, 0.0, []
    for t in range(1, n_steps + 1):
        value, g = value_and_grad(to_layers(theta, layers), x, y)
        values.append(value)
        # [eq:plain-adam]
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        m_hat, v_hat = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
        theta = theta - alpha * m_hat / (np.sqrt(v_hat) + epsilon)
        # [/eq:plain-adam]
    return to_layers(theta, layers), values
