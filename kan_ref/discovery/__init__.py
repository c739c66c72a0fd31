"""From data to a formula in one call, and the elimination of nodes and edges."""

from kan_ref.discovery.elimination import eliminate as eliminate
from kan_ref.discovery.pipeline import discover as discover
from kan_ref.discovery.records import Discovery as Discovery
from kan_ref.discovery.records import DiscoveryStep as DiscoveryStep
from kan_ref.discovery.results import suggest_formulas as suggest_formulas
from kan_ref.discovery.verdict import Verdict as Verdict
