"""What one attempt at a step needs before it starts: folders, quoted paths and the text of its command.

What a type of job makes of them belongs to `kinds/`, starting the process to `service/compute`.
"""
