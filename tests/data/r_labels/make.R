# Made once with R 4.2.2 (Rscript make.R): objects with what surrounds the labels in a real Seurat
# object - sparse matrices, images in environments, calls, byte-compiled functions - and no more spots
# than a test needs. Not run by the tests, which have no R.
setClass("dgCMatrix", representation(i = "integer", p = "integer", Dim = "integer", Dimnames = "list", x = "numeric"))
setClass("Assay", representation(counts = "dgCMatrix", scale.data = "matrix", key = "character"))
setClass("VisiumV1", representation(image = "array", coordinates = "data.frame", cache = "environment"))
setClass("SeuratCommand", representation(call.string = "character", time.stamp = "POSIXct", params = "list"))
setClass("Seurat", representation(
  assays = "list", meta.data = "data.frame", active.assay = "character", active.ident = "factor",
  images = "list", version = "ANY", commands = "list"
))
barcodes <- c("AAACATTTCCCGGATT-2", "AAACCGGGTAGGTACC-2", "AAACCGTTCGTCCAGG-2", "AAACCTAAGCAGCCGG-2")
counts <- new("dgCMatrix",
  i = c(0L, 1L, 0L), p = c(0L, 1L, 2L, 3L, 3L), Dim = c(2L, 4L), Dimnames = list(c("A1BG", "SCC"), barcodes), x = c(1, 2, 3)
)
sample_1 <- new("Seurat",
  assays = list(SCT = new("Assay", counts = counts, scale.data = matrix(rnorm(8), 2), key = "sct_")),
  meta.data = data.frame(
    nCount_Spatial = c(10, 20, 30, 40), sample_id.x = "sample_2",
    pathologist_anno.x = c("SCC", "Lymphocyte Negative Stroma", NA, "Artery/Vein"), row.names = barcodes
  ),
  active.assay = "SCT", active.ident = factor(c("core", "edge", "nc", "core")),
  images = list(slice1 = new("VisiumV1",
    image = array(0.5, c(2, 2, 3)), coordinates = data.frame(row = 1:4, col = 1:4, row.names = barcodes),
    cache = list2env(list(a = 1, b = "two"))
  )),
  version = package_version("3.2.2"),
  commands = list(NormalizeData = new("SeuratCommand",
    call.string = "NormalizeData(object)", time.stamp = as.POSIXct(0, origin = "1970-01-01"),
    params = list(fun = compiler::cmpfun(function(x, y = 2) for (k in x) if (k > y) return(k)), call = quote(f(x, n = 3)))
  ))
)
save(sample_1, file = "strings.Robj")
sample_1@meta.data$pathologist_anno.x <- factor(sample_1@meta.data$pathologist_anno.x)
other <- 1:10
save(other, sample_1, file = "factor.Robj", version = 2, compress = "xz")

codes <- c(7L, 3L, 1L, NA, 7L)
names(codes) <- c("0x0", "1x3", "50x102", "50x104", "12x6")
saveRDS(codes, "codes.rds")
saveRDS(codes + 0, "doubles.rds", compress = FALSE)
saveRDS(list(a = 1, b = "text"), "list.rds")
