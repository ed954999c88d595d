"""Where a name is that somebody looks for in the wrong place, or by the word of another library."""
from difflib import get_close_matches

from .stubs import public_names

__all__ = ["METHODS", "SYNONYMS", "method", "whereabouts"]

# What is here → the words for it in other libraries and in books. Small and without underscores, as `_plain` makes them.
SYNONYMS = {
    "Normal": "gaussian norm normaldistribution", "MultivariateNormal": "multivariategaussian mvn", "Exponential": "expon",
    "InverseGamma": "invgamma", "InverseGaussian": "invgauss wald", "LogNormal": "lognorm", "NegativeBinomial": "nbinom",
    "ChiSquared": "chi2", "Categorical": "discrete multinoulli softmax", "BoltzmannMachine": "ising isingmodel",
    "LocationScale": "cauchy studentt student",
    "Independent": "iid", "NaturalUpdate": "naturalgradient naturalgradientdescent ngd",
    "GradientUpdate": "gradientdescent gd sgd", "MirrorUpdate": "mirrordescent", "descend": "minimize minimise optimize solve",
    "Backtracking": "armijo linesearch", "Constant": "learningrate stepsize", "flow": "gradientflow",
    "bregman": "bregmandivergence", "riemannian_distance": "fisherrao fisherraodistance geodesicdistance",
    "riemannian_geodesic": "geodesic", "christoffel": "christoffelsymbols", "cubic_tensor": "amarichentsov skewnesstensor",
    "proportional_fitting": "ipf ipfp", "e_project": "eprojection", "m_project": "mprojection",
    "jeffreys_density": "jeffreysprior", "fit_mixture": "em expectationmaximization", "FamilyMixture": "gmm gaussianmixture",
    "bregman_kmeans": "kmeans", "fisher": "gaussnewton ggn", "MLP": "neuralnetwork", "ConvNet": "cnn",
}

# The methods of a family that are looked for as functions or by another name.
METHODS = {
    "log_density(theta, x)": "logdensity logpdf logpmf logprob loglikelihood pdf pmf density",
    "sample(rng, theta, shape)": "sample rvs rsample draw", "fit(x)": "fit mle", "entropy(theta)": "entropy",
    "kl(theta_p, theta_q)": "kl kldivergence kullbackleibler relativeentropy",
    "metric(theta)": "metric fisherinformation fisherinformationmatrix fishermetric fisherinfo fim",
    "log_partition(theta)": "logpartition lognormalizer logpartitionfunction cumulantfunction",
    "theta_from(mean=…, …)": "thetafrom naturalparameters fromparameters", "to_theta(eta)": "totheta",
    "to_eta(theta)": "toeta expectationparameters", "sufficient_statistic(x)": "sufficientstatistic",
    "mean(theta)": "mean", "variance(theta)": "variance var std", "cdf(theta, x)": "cdf", "log_cdf(theta, x)": "logcdf",
    "survival(theta, x)": "survival sf", "log_survival(theta, x)": "logsf", "quantile(theta, q)": "quantile ppf icdf",
    "upper_quantile(theta, q)": "upperquantile isf",
}


def _inverted(table: dict[str, str]) -> dict[str, str]:
    return {word: here for here, words in table.items() for word in words.split()}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


_SYNONYM, _METHOD = _inverted(SYNONYMS), _inverted(METHODS)


def method(name: str) -> str:
    """What a family calls a method that is sought by another name, as the end of a message; empty where nothing is known."""
    call = _METHOD.get(_plain(name))
    return f": it is the method {call} of a family" if call else ""


def whereabouts(name: str, longer: list[str]) -> str:
    """The same for a public name; `longer` are those of the asked package that begin with it."""
    if name.startswith("__"):               # Python asks for these, nobody else
        return ""
    public, plain = public_names(), _plain(name)
    if len(longer) == 1 and public.get(name) != f"infogeo.{name}":      # what stands at the top is known by its whole name
        return f"; did you mean {longer[0]}?"
    here = name if name in public else _SYNONYM.get(plain)
    if here:
        return f": it is {public[here]}"
    if found := method(name):
        return found
    plainly = {_plain(key): where for key, where in public.items()}
    near = get_close_matches(plain, plainly, n=1, cutoff=0.8)
    return f"; did you mean {plainly[near[0]]}?" if near else ""
