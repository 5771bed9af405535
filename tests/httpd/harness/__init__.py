"""The harness of the httpd tests: real servers, judged by their error log. See site.py."""
