# Reads n, p, k, X by columns and y as doubles; prints the seconds of the search, the residual sum of squares and the support of size k.
suppressMessages(library(leaps))
file <- commandArgs(trailingOnly = TRUE)[1]
v <- readBin(file, "double", n = file.size(file) / 8, size = 8)
n <- v[1]; p <- v[2]; k <- v[3]
X <- matrix(v[4:(3 + n * p)], n, p)
y <- v[(4 + n * p):(3 + n * p + n)]
began <- proc.time()[[3]]
found <- regsubsets(X, y, nvmax = k, nbest = 1, method = "exhaustive", intercept = FALSE, really.big = TRUE)
cat("SECONDS", format(proc.time()[[3]] - began, digits = 17), "\n")
best <- summary(found)
last <- nrow(best$which)
cat("RSS", format(best$rss[last], digits = 17), "\n")
cat("SUPPORT", which(best$which[last, ]) - 1, "\n")
