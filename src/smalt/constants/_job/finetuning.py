"""Words of fine-tuning."""

from __future__ import annotations


class FineTuningTaskType:
    CHAT_COMPLETION = "ChatCompletion"
    IMAGE_CLASSIFICATION = "ImageClassification"
    IMAGE_INSTANCE_SEGMENTATION = "ImageInstanceSegmentation"
    IMAGE_OBJECT_DETECTION = "ImageObjectDetection"
    QUESTION_ANSWERING = "QuestionAnswering"
    TEXT_CLASSIFICATION = "TextClassification"
    TEXT_COMPLETION = "TextCompletion"
    TEXT_SUMMARIZATION = "TextSummarization"
    TEXT_TRANSLATION = "TextTranslation"
    TOKEN_CLASSIFICATION = "TokenClassification"
    VIDEO_MULTI_OBJECT_TRACKING = "VideoMultiObjectTracking"


FineTuningTaskTypes = FineTuningTaskType
"""The official SDK has it twice."""
