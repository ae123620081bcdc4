"""The stage `catalog`: every topic that holds a result, as rows of the catalogue (`sonovan.storage.catalogue`)."""
