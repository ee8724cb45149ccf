import requests
import json

# 基础URL
BASE_URL = "http://localhost:8000/api"

# 登录获取token
def login(email, password):
    response = requests.post(
        f"{BASE_URL}/auth/login",
        json={"email": email, "password": password}
    )
    if response.status_code == 200:
        return response.json()["data"]["access_token"]
    else:
        raise Exception(f"登录失败: {response.text}")

# 创建认证头
def get_headers(token):
    return {"Authorization": f"Bearer {token}"}

# 获取用户信息
def get_user_info(token):
    response = requests.get(
        f"{BASE_URL}/users/me",
        headers=get_headers(token)
    )
    return response.json()

# 创建任务
def create_task(token, title, task_type, description=""):
    response = requests.post(
        f"{BASE_URL}/tasks",
        headers=get_headers(token),
        json={
            "title": title,
            "task_type": task_type,
            "description": description
        }
    )
    return response.json()

# 使用示例
if __name__ == "__main__":
    # 登录
    token = login("admin@example.com", "admin123")
    print(f"Token: {token}")
    
    # 获取用户信息
    user_info = get_user_info(token)
    print(f"用户信息: {json.dumps(user_info, indent=2, ensure_ascii=False)}")
    
    # 创建任务
    task = create_task(token, "测试任务", "test", "API测试任务")
    print(f"创建任务: {json.dumps(task, indent=2, ensure_ascii=False)}")
