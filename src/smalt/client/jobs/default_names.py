"""Names for jobs without one, in the service's style: `patient_harbor_8k2mx0q7vd`."""

from __future__ import annotations

import random
import string

_ADJECTIVES = (
    "able amber ample azure bold brave brief bright broad calm careful cheerful clear clever coral crisp curious "
    "eager early elastic fair faithful famous fine fresh frosty gentle glad golden good graceful green happy hardy "
    "helpful honest humble ivory jolly keen kind lemon light lively loyal lucky maroon mellow merry mighty modest "
    "neat nimble noble olive patient plain plum polite proud purple quick quiet rapid ready rosy round sandy serene "
    "sharp shiny silver sincere smart smooth snowy solid stable steady sturdy sunny swift teal tidy true upbeat "
    "useful velvet vivid warm willing wise witty yellow young"
)
_NOUNS = (
    "acorn anchor apple arch arrow aspen badge basil basket beach bell bird boat bread breeze bridge brook brush "
    "button canoe carrot castle cedar cherry cliff clock cloud clover comet corn cotton crown daisy dawn deer door "
    "eagle engine falcon feather fern field fig flute forest fox garden gate glove grape harbor hat hill island jar "
    "kettle key kite lake lamp leaf lemon lily lion maple market meadow melon mirror moon napkin nest oak orange "
    "owl parsnip peach pear pen pencil pepper pine planet plate pond quill rain reed ring river rocket roof root "
    "sail salt school seal shell spoon spring star stone store street sugar table tiger tower train tree turnip "
    "valley vase violet wagon whale wheel wind window wolf yam"
)
_ALPHABET = string.ascii_lowercase + string.digits


def make_job_name() -> str:
    """Return an adjective, a noun and ten random characters; unique also in processes forked from one."""
    chance = random.SystemRandom()
    adjective, noun = chance.choice(_ADJECTIVES.split()), chance.choice(_NOUNS.split())
    return f"{adjective}_{noun}_{''.join(chance.choices(_ALPHABET, k=10))}"
