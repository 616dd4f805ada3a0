"""What cards, README and docs say in words about weights and tables; cards.py makes tables and facts.

The few numbers in these remarks are of pretrained/*.json and benchmarks/README.md: with other weights, renew them.
"""

ROADSCENE = (
    "RoadScene: images of the FLIR thermal data set, aligned by Xu et al. (AAAI 2020; TPAMI 2022), for "
    "research; its owners' terms apply to these weights, too. No image is part of this repository."
)
DIR = "DIR is the folder of the data sets, see pretrained/README.md."
CAVE_TERMS = (
    "CAVE: Yasuma et al., Columbia University, for research; its owners' terms apply. Not part of this repository."
)
OWN_LOSS_TABLES = ("tno25", "roadscene50", "tno8", "mri_ct")
CARDS = {  # name -> title, tables, terms of the data, remarks
    "ivf_tno": (
        "Infrared-visible fusion, TNO model",
        (
            "tno8",
            "tno8_mean",
            "tno25",
            "mri_ct",
        ),
        ROADSCENE,
        (
            DIR,
            "Of its two structure terms the released loss has only the infrared one. To the eye: targets and "
            "textures of both are there, without noise or halos; bright skies come out darker than in the "
            "visible image.",
            "By most metrics the untrained network is better, see its rows; a second seed, the epochs and the "
            "printed recipe are in benchmarks/README.md.",
            "Of the paper's Table 10 the rules with an IFCNN base are not run: they need that network. The "
            "detail rule max needs a training of its own (--detail-rule max).",
            "At night: dark ground turns black. In a night version of 21 held-back pairs 2.6 % of pixels are black "
            "that are not black in both sources, 18 % in the worst pair. Take ivf_tuned there.",
        ),
    ),
    "ivf_rs": (
        "Infrared-visible fusion, RoadScene model",
        ("roadscene50",),
        ROADSCENE,
        (
            DIR,
            "In training the fused image came close to the infrared one: SSIM with it rises from 0.88 to 0.96, "
            "SSIM with the visible image falls from 0.57 to 0.43. EN and SD are high because those of the "
            "infrared images are; SCD and MEF-SSIM are below those of the plain mean. For pictures prefer "
            "ivf_tuned.",
        ),
    ),
    "ivf_tuned": (
        "Infrared-visible fusion, tuned loss",
        OWN_LOSS_TABLES,
        ROADSCENE,
        (
            DIR,
            "Chosen by the rule in benchmarks/night.py on 21 held-back pairs, each by day and in a night version. One "
            "seed.",
            "To the eye: more contrast than ivf_tno, no noise; dark ground by night stays as bright as in the brighter "
            "source. 0.2 % of pixels are white that are white in neither source (the untrained network: 1.0 %); by "
            "night 0.14 % are black that are not black in both (1.7 % in the worst pair), and EN, VIF and SSIM are "
            "at least those of the untrained network. The earlier weights, trained by day alone, made 10.7 % black.",
            "Aimed at and missed: above the untrained network in six of CDDFuse's eight metrics on TNO-25 and "
            "RoadScene-50 (found: three and four), above CDDFuse's published row in five (found: one and four). "
            "Other weights of the loss that were tried are in benchmarks/README.md.",
        ),
    ),
    "ivf_contrast": (
        "Infrared-visible fusion, contrast loss",
        OWN_LOSS_TABLES,
        ROADSCENE,
        (
            DIR,
            "The target is computed from the two sources, see utils/training/contrast.py; the detail rule is this "
            "project's, the detail of the brighter source. Chosen by the rule in benchmarks/night.py on 21 held-back "
            "pairs, by day and in a night version, before its own first 60 epochs, the same with fewer night samples, "
            "20 epochs, a loss without structure, and one that sharpens dark pairs as much as others.",
            "Held-back pairs: above the maximum of the two in EN, SD, SF, SCD and VIF by day (7.46, 52.8, 16.1, 1.23, "
            "0.765), below it in MI, Qabf and SSIM (3.41, 0.499, 0.941). By night 0.01 % of the pixels are black "
            "that are not black in both sources, and VIF is 0.951, 96.7 % of the untrained network's. One seed. Of the "
            "first 60 epochs with seeds 0 and 1 EN differs by 0.004, SD by 0.5, SF by 0.1 and VIF by 0.006.",
            "Aimed at and missed: above CDDFuse's published row in five of its eight metrics on TNO-25 and "
            "RoadScene-50 (found: three and three, MI, VIF and Qabf; EN, SD and SF are nearer to that row than those "
            "of ivf_tuned).",
            "To the eye (four held-back pairs): the most contrast, no halos, people clear by day and night. Texture of "
            "the darker source is mostly lost where the other one is bright; MEF-SSIM is low because of that.",
        ),
    ),
    "hmf": (
        "Hyperspectral-multispectral fusion, CAVE x4",
        ("cave_x4",),
        CAVE_TERMS,
        (
            DIR,
            "A short training: 5,740 steps of 4 patches of 32x32, then 9,192 of 2 patches of 64x64, where the released "
            "script makes some 98,000 of 16 patches of 64x64: a 65th of its pixels.",
            "The first run began with more epochs and later milestones, and was cut by --resume, which allowed that.",
            "Each further run began with the weights before it. The second brought the 11 test scenes from 49.52 to "
            "49.98 dB, 370 steps of 4 x 32² or 12 minutes for 0.1 dB; the third brought them to 50.68 dB, 1,300 "
            "steps of 2 x 64² or 17 minutes for 0.1 dB.",
            "A fourth was not kept: 5,745 steps more (2 x 64²; three epochs at 4e-4, one each at 2e-4 and 1e-4) in "
            "119 minutes brought the validation from 48.55 to 48.71 dB and the test scenes to 50.75 dB, 8,500 steps "
            "or 175 minutes for 0.1 dB. In the epochs at 4e-4 the averaged weights stayed at 48.1 dB.",
        ),
    ),
    "hmf_x8": (
        "Hyperspectral-multispectral fusion, CAVE x8",
        ("cave_x8",),
        CAVE_TERMS,
        (
            DIR,
            "The training began with the weights for ratio 4: the network is the same one for every ratio. It was "
            "stopped after four of its five epochs; the validation rose by 0.08 dB in the last one.",
        ),
    ),
    "ps": (
        "Pansharpening, WorldView-2",
        (
            "wv2",
            "wv2_released",
        ),
        "The WorldView-2 scene is that of py_pansharpening, owned by its provider; not part of this repository.",
        (
            DIR,
            "One scene: rows 0:160 of its ms are trained on, 160:192 chosen by, 192:320 tested on. What it "
            "measures there says little of other scenes. No training set of the paper's tables was at hand, and"
            " the simulated sample was not used.",
            "The second run brought the rows that it was chosen by from 32.54 to 32.98 dB. More steps on so few pixels "
            "fit these alone: after 390 steps the validation fell.",
            "Better than the authors' WV3 network at reduced resolution, where it has seen the rest of the "
            "scene; worse than it and than EXP in QNR and HQNR at full resolution.",
            "The rows it was chosen by: python -m data ps --data DIR/pansharpening/wv2.mat --rows 160:192 "
            "--patch 32 --stride 16 --output DIR/wv2_rows_160_192.h5",
        ),
    ),
}
CARDS["ps4"] = (
    "Pansharpening of four bands: blue, green, red, near infrared",
    ("ps4_ikonos", "ps4_quickbird", "ps4_spot6_cropland", "ps4_spot6_vegetation", "ps4_gf2"),
    "The scenes are those of other projects' repositories, owned by their providers; not part of this repository.",
    (
        DIR,
        "Trained on parts of IKONOS, QuickBird, SPOT-6 (two scenes), GaoFen-2 (four crops) and an unknown sensor: "
        "`python -m data ps` with each sensor's MTF and bit depth, then `python -m data join`, see "
        "pretrained/README.md.",
        "Rows of the ms: IKONOS 0:192 trained on, 192:224 chosen by, 224:320 tested; QuickBird and SPOT-6 0:160, "
        "160:192 and 192:256; unknown sensor 0:128 trained on. GaoFen-2: crops frtrain_0 to 3 trained on, frtrain_4 "
        "chosen by, fr_0 tested; no window of 6x6 pan pixels is in two of these.",
        "Tested areas are neighbours of trained ones in the same scene (GaoFen-2: another crop). Other scenes of these "
        "sensors, and other sensors, were not tested.",
    ),
)
PEER_TABLES = ("methods_tno25", "methods_roadscene50", "methods_mri_ct")
ARCHITECTURE = (
    "The architecture and recipe of its authors, our short training: its rows say what so little training gives, "
    "nothing of the authors' own weights, which are not redistributed here."
)
SHORTER = {  # title, what is less than its authors'
    "auif": ("AUIF-Net", "Batch 16 of 64x64 for 32 of 128x128, 40 epochs for 80."),
    "cddfuse": (
        "CDDFuse",
        "Batch 4 of 64x64 for 8 of 128x128, 2 and 2 epochs for 40 and 80, learning rate 4e-4 for 1e-4.",
    ),
    "defusion": (
        "DeFusion++, first stage",
        "RoadScene's 300 images for 118,287 photographs of COCO, batch 4 for 16, some 4000 steps for 370,000. The "
        "start (--cosines) and most of the samples (--whole, --soft) are ours: the authors start from TinyMIM's "
        "weights, which are not at hand, and hide by noise in every sample. An image fused with itself comes back at "
        "30 to 38 dB (ten images; benchmarks/README.md). Of two that differ the fused image holds what has contrast, "
        "with visible patches where they disagree most. Strong colours, which RoadScene hardly has, come out shifted "
        "(test_peers.py multifocus), and the black ground of medical images dark gray with a faint pattern: its EN on "
        "MRI-CT is of that. On Lytro's photographs the plain mean of the two is better in every column. The kept "
        "weights are a moving average (--ema).",
    ),
}
for _method, (_title, _less) in SHORTER.items():
    _tables = (*PEER_TABLES, "lytro") if _method == "defusion" else PEER_TABLES
    CARDS[f"peers/{_method}"] = (_title, _tables, ROADSCENE, (DIR, ARCHITECTURE, _less))
IN_README = (("tno8", 0), ("wv2", 0), ("cave_x4", 0))  # results, and which of their tables
HEADINGS = {  # of docs/results.md, in its order; results without one follow under their own names
    "tno8": "The paper's eight TNO pairs",
    "tno8_mean": "The paper's eight TNO pairs, mean base",
    "tno25": "TNO, 25 pairs",
    "roadscene50": "RoadScene, 50 pairs",
    "mri_ct": "MRI and CT, 21 pairs",
    "methods_tno25": "Other methods on TNO, 25 pairs",
    "methods_roadscene50": "Other methods on RoadScene, 50 pairs",
    "methods_mri_ct": "Other methods on MRI and CT, 21 pairs",
    "lytro": "Multi-focus photographs, Lytro, 20 pairs",
    "cave_x4": "CAVE, ratio 4, the 11 test scenes",
    "cave_x8": "CAVE, ratio 8, the 11 test scenes",
    "wv2": "WorldView-2, rows not trained on",
    "wv2_released": "WorldView-2, the authors' WV3 weights",
    "ps4_ikonos": "IKONOS, rows not trained on",
    "ps4_quickbird": "QuickBird, rows not trained on",
    "ps4_spot6_cropland": "SPOT-6, cropland, rows not trained on",
    "ps4_spot6_vegetation": "SPOT-6, vegetation, rows not trained on",
    "ps4_gf2": "GaoFen-2, a crop not trained on",
    "published_tno25": "Published pictures scored here: SDNet on TNO",
    "published_roadscene50": "Published pictures scored here: CDDFuse on RoadScene",
}
KINDS = {  # name in pretrained/ -> what to take the weights for, and what they are
    "ivf_tno": ("what the authors' recipe gives, maximum of the bases", "The released recipe. Little contrast."),
    "ivf_rs": ("what the authors' recipe gives, mean of the bases", "The released recipe. Near the infrared image."),
    "ivf_tuned": ("infrared-visible pictures to look at, by day and night", "A balanced loss of this project."),
    "ivf_contrast": ("infrared-visible pictures with contrast", "A loss of this project, for contrast."),
    "hmf": ("hyperspectral cubes of 31 bands, ratio 4", "The released recipe, a short training."),
    "hmf_x8": ("hyperspectral cubes of 31 bands, ratio 8", "The released recipe, begun with hmf."),
    "ps": ("pansharpening of eight bands (WorldView)", "The released recipe, a short training on one scene."),
    "ps4": (
        "pansharpening of four bands: blue, green, red, near infrared",
        "The released recipe, a short training.",
    ),
}
SETS = {  # what runs call their data -> what the tables of weights say
    "roadscene": "RoadScene",
    "cave": "CAVE",
    "wv2.mat": "one WorldView-2 scene",
    "train4.h5": "IKONOS, QuickBird, SPOT-6, GaoFen-2 and an unknown sensor",
}
HEADLINE = {  # task -> metrics of the tables of weights, the row beside them, results to look in first
    "ivf": (("MEF-SSIM",), "mean of the two", ("tno8", "roadscene50")),
    "ps": (("SAM", "ERGAS"), "EXP (lms)", ("wv2", "ps4_ikonos")),
    "hmf": (("PSNR",), "bicubic", ("cave_x4", "cave_x8")),
}
HEADLINES = ("DCINN", "CDDFuse")
RULES = {"base rule mean,": "DCINN Mean/Mean"}  # a title's rule -> its row of the paper's Table 10
BEST_ON_SAMPLE = "ivf_tuned"  # the weights of README's first command and of the pictures, chosen by looking
