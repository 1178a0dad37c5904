"""The report of a comparison: one HTML file, a workbook, and the later document with the changes marked."""
