from .estimators import BregmanKMeans as BregmanKMeans, FamilyMixture as FamilyMixture
