# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The harness of the httpd tests: real servers, judged by their error log. See site.py."""
