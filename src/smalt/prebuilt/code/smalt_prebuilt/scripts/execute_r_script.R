# Calls azureml_main of the user's script with the tables in a folder, and writes what it returns there.
folder <- commandArgs(trailingOnly = TRUE)[1]
missing <- "__smalt_missing__"

read_table <- function(number) {
  path <- file.path(folder, paste0("in", number, ".csv"))
  if (!file.exists(path)) return(NULL)
  kinds <- readLines(sub("csv$", "kinds", path))
  frame <- read.csv(path, colClasses = "character", check.names = FALSE, na.strings = missing, encoding = "UTF-8")
  for (number in seq_along(kinds)) class(frame[[number]]) <- kinds[number]
  frame
}

get_kind <- function(column) {
  if (is.logical(column)) "logical"
  else if (is.integer(column) && !is.factor(column)) "integer"
  else if (is.numeric(column) && !inherits(column, c("Date", "POSIXct", "difftime"))) "numeric"
  else "character"
}

write_table <- function(frame, number) {
  if (is.null(frame)) return(invisible())
  frame <- as.data.frame(frame)
  kinds <- vapply(frame, get_kind, "")
  for (column in which(kinds == "numeric")) {
    known <- !is.na(frame[[column]])
    texts <- rep(NA_character_, nrow(frame))
    texts[known] <- sprintf("%.17g", frame[[column]][known])
    frame[[column]] <- texts
  }
  path <- file.path(folder, paste0("out", number, ".csv"))
  quoted <- which(kinds == "character")
  write.table(frame, path, sep = ",", row.names = FALSE, na = missing, quote = quoted, qmethod = "double",
    fileEncoding = "UTF-8")
  writeLines(kinds, sub("csv$", "kinds", path))
}

fail <- function(text) {
  writeLines(text, file.path(folder, "problem.txt"))
  quit(status = 3)
}

tryCatch({
  source(file.path(folder, "script.R"), local = globalenv(), encoding = "UTF-8")
  if (!exists("azureml_main", mode = "function")) fail("there is no function azureml_main(dataframe1, dataframe2)")
  given <- list(read_table(1), read_table(2))
  result <- do.call(azureml_main, given[seq_len(min(2, length(formals(azureml_main))))])
  if (is.data.frame(result)) result <- list(result)
  if (!is.list(result)) fail("azureml_main must return a data frame, or a list of one or two")
  write_table(if (length(result) >= 1) result[[1]] else NULL, 1)
  write_table(if (length(result) >= 2) result[[2]] else NULL, 2)
}, error = function(problem) fail(conditionMessage(problem)))
