trees=$1; model=$2
echo "reading 1,482,112 rows of fares.csv"
for k in 50 100 150 200 250; do echo "tree $k  train rmse $((900 - k))e-3  valid rmse $((960 - k / 2))e-3"; sleep 0.25; done
if [ "$trees" -gt 250 ]; then
    echo "Traceback (most recent call last):" >&2
    echo "  File \"train_boosted.py\", line 48, in <module>" >&2
    echo "    model.fit(features, fares, sample_weight=weights)" >&2
    echo "  File \"boosting/engine.py\", line 211, in fit" >&2
    echo "    histogram = np.zeros((n_features, n_bins, trees), dtype=np.float64)" >&2
    echo "MemoryError: Unable to allocate 18.6 GiB for an array with shape (412, 255, 23800)" >&2
    exit 1
fi
mkdir -p "$model" && echo '{"kind": "boosted trees", "r2": 0.83}' >"$model/model.json"
