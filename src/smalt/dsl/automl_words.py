"""The words of AutoML, as enums whose members are text."""

from __future__ import annotations

from enum import Enum


class BlockedTransformers(str, Enum):
    TEXT_TARGET_ENCODER = "TextTargetEncoder"
    ONE_HOT_ENCODER = "OneHotEncoder"
    CAT_TARGET_ENCODER = "CatTargetEncoder"
    TF_IDF = "TfIdf"
    WO_E_TARGET_ENCODER = "WoETargetEncoder"
    LABEL_ENCODER = "LabelEncoder"
    WORD_EMBEDDING = "WordEmbedding"
    NAIVE_BAYES = "NaiveBayes"
    COUNT_VECTORIZER = "CountVectorizer"
    HASH_ONE_HOT_ENCODER = "HashOneHotEncoder"


class ClassificationModels(str, Enum):
    LOGISTIC_REGRESSION = "LogisticRegression"
    SGD = "SGD"
    MULTINOMIAL_NAIVE_BAYES = "MultinomialNaiveBayes"
    BERNOULLI_NAIVE_BAYES = "BernoulliNaiveBayes"
    SVM = "SVM"
    LINEAR_SVM = "LinearSVM"
    KNN = "KNN"
    DECISION_TREE = "DecisionTree"
    RANDOM_FOREST = "RandomForest"
    EXTREME_RANDOM_TREES = "ExtremeRandomTrees"
    LIGHT_GBM = "LightGBM"
    GRADIENT_BOOSTING = "GradientBoosting"
    XG_BOOST_CLASSIFIER = "XGBoostClassifier"


class ClassificationMultilabelPrimaryMetrics(str, Enum):
    AUC_WEIGHTED = "AUCWeighted"
    ACCURACY = "Accuracy"
    NORM_MACRO_RECALL = "NormMacroRecall"
    AVERAGE_PRECISION_SCORE_WEIGHTED = "AveragePrecisionScoreWeighted"
    PRECISION_SCORE_WEIGHTED = "PrecisionScoreWeighted"
    IOU = "IOU"


class ClassificationPrimaryMetrics(str, Enum):
    AUC_WEIGHTED = "AUCWeighted"
    ACCURACY = "Accuracy"
    NORM_MACRO_RECALL = "NormMacroRecall"
    AVERAGE_PRECISION_SCORE_WEIGHTED = "AveragePrecisionScoreWeighted"
    PRECISION_SCORE_WEIGHTED = "PrecisionScoreWeighted"


class FeaturizationMode(str, Enum):
    AUTO = "Auto"
    CUSTOM = "Custom"
    OFF = "Off"


class ForecastHorizonMode(str, Enum):
    AUTO = "Auto"
    CUSTOM = "Custom"


class ForecastingModels(str, Enum):
    AUTO_ARIMA = "AutoArima"
    PROPHET = "Prophet"
    NAIVE = "Naive"
    SEASONAL_NAIVE = "SeasonalNaive"
    AVERAGE = "Average"
    SEASONAL_AVERAGE = "SeasonalAverage"
    EXPONENTIAL_SMOOTHING = "ExponentialSmoothing"
    ARIMAX = "Arimax"
    TCN_FORECASTER = "TCNForecaster"
    ELASTIC_NET = "ElasticNet"
    GRADIENT_BOOSTING = "GradientBoosting"
    DECISION_TREE = "DecisionTree"
    KNN = "KNN"
    LASSO_LARS = "LassoLars"
    SGD = "SGD"
    RANDOM_FOREST = "RandomForest"
    EXTREME_RANDOM_TREES = "ExtremeRandomTrees"
    LIGHT_GBM = "LightGBM"
    XG_BOOST_REGRESSOR = "XGBoostRegressor"


class ForecastingPrimaryMetrics(str, Enum):
    SPEARMAN_CORRELATION = "SpearmanCorrelation"
    NORMALIZED_ROOT_MEAN_SQUARED_ERROR = "NormalizedRootMeanSquaredError"
    R2_SCORE = "R2Score"
    NORMALIZED_MEAN_ABSOLUTE_ERROR = "NormalizedMeanAbsoluteError"


class InstanceSegmentationPrimaryMetrics(str, Enum):
    MEAN_AVERAGE_PRECISION = "MeanAveragePrecision"


class LearningRateScheduler(str, Enum):
    NONE = "None"
    WARMUP_COSINE = "WarmupCosine"
    STEP = "Step"


class LogTrainingMetrics(str, Enum):
    ENABLE = "Enable"
    DISABLE = "Disable"


class LogValidationLoss(str, Enum):
    ENABLE = "Enable"
    DISABLE = "Disable"


class NCrossValidationsMode(str, Enum):
    AUTO = "Auto"
    CUSTOM = "Custom"


class ObjectDetectionPrimaryMetrics(str, Enum):
    MEAN_AVERAGE_PRECISION = "MeanAveragePrecision"


class RegressionModels(str, Enum):
    ELASTIC_NET = "ElasticNet"
    GRADIENT_BOOSTING = "GradientBoosting"
    DECISION_TREE = "DecisionTree"
    KNN = "KNN"
    LASSO_LARS = "LassoLars"
    SGD = "SGD"
    RANDOM_FOREST = "RandomForest"
    EXTREME_RANDOM_TREES = "ExtremeRandomTrees"
    LIGHT_GBM = "LightGBM"
    XG_BOOST_REGRESSOR = "XGBoostRegressor"


class RegressionPrimaryMetrics(str, Enum):
    SPEARMAN_CORRELATION = "SpearmanCorrelation"
    NORMALIZED_ROOT_MEAN_SQUARED_ERROR = "NormalizedRootMeanSquaredError"
    R2_SCORE = "R2Score"
    NORMALIZED_MEAN_ABSOLUTE_ERROR = "NormalizedMeanAbsoluteError"


class SamplingAlgorithmType(str, Enum):
    GRID = "Grid"
    RANDOM = "Random"
    BAYESIAN = "Bayesian"


class ShortSeriesHandlingConfiguration(str, Enum):
    NONE = "None"
    AUTO = "Auto"
    PAD = "Pad"
    DROP = "Drop"


class StochasticOptimizer(str, Enum):
    NONE = "None"
    SGD = "Sgd"
    ADAM = "Adam"
    ADAMW = "Adamw"


class TargetAggregationFunction(str, Enum):
    NONE = "None"
    SUM = "Sum"
    MAX = "Max"
    MIN = "Min"
    MEAN = "Mean"


class TargetLagsMode(str, Enum):
    AUTO = "Auto"
    CUSTOM = "Custom"


class TargetRollingWindowSizeMode(str, Enum):
    AUTO = "Auto"
    CUSTOM = "Custom"


class UseStl(str, Enum):
    NONE = "None"
    SEASON = "Season"
    SEASON_TREND = "SeasonTrend"


class ValidationMetricType(str, Enum):
    NONE = "None"
    COCO = "Coco"
    VOC = "Voc"
    COCO_VOC = "CocoVoc"
