"""From data to a formula in one call, and the elimination of nodes and edges."""

from kan_ref.discovery.elimination import eliminate as eliminate
from kan_ref.discovery.pipeline import Discovery as Discovery
from kan_ref.discovery.pipeline import DiscoveryStep as DiscoveryStep
from kan_ref.discovery.pipeline import discover as discover
