# すべての人に向けたページ：トップ、リージョン、デスクの入口。
public-landing-title = Domicile：住所のあるサポートデスク
public-landing-heading = 置いた場所から動かないサポートデスク
public-landing-lead = お客様のデータを置くリージョンを選べます。保存もバックアップも監査もその中で行われ、当社を信頼しなくても、ご自身で確かめられます。
public-localities = デスクを置くリージョンを選ぶ
public-map = リージョンの地図
public-law = 適用される法域
public-stores = データとログの保存先
public-backups = バックアップとアーカイブ
public-backups-daily = 同じ場所に { $hours } 時間ごとに作成し、{ $days } 日間保管します。
public-backups-asked = 同じ場所に、運用者の指示により作成し、{ $days } 日間保管します。
public-backups-locked = アーカイブは { $days } 日間、変更も削除もできません。
public-plans-here = プラン
public-sign-up = ここで登録する
public-leaves = リージョンの外に出てよいものと、その理由
public-leaves-lead = このページを配信しているサーバー自身が従っている、ホスティングポリシーの第 { $version } 版です。ここに記されていないものは外に出ません。
public-leaves-nothing = なし。
public-plans = プランごとの保証内容
public-plan = プラン
public-plan-place = データの場所
public-plan-requests = 1 分あたりの API リクエスト数
public-plan-choice = 選んだリージョンに置かれ、その場所が保証されます。
public-plan-default = リージョン「{ $region }」に置かれます。移動することがあり、場所は保証されません。
public-plan-unlimited = 制限なし
public-region-lead = Domicile のリージョンの一つです。適用される法域：{ $jurisdiction }。ここに保存されたデータは、ここから動きません。
public-region-sign-up = ここで登録する
public-region-others = ほかのリージョンを見る

# リージョンと法域の名前。運用者が付けた名前はそのまま表示します。
public-place-us = アメリカ合衆国
public-place-eu = 欧州連合
public-place-au = オーストラリア
public-place-jp = 日本
public-law-US = アメリカ合衆国
public-law-EEA = 欧州経済領域
public-law-AU = オーストラリア
public-law-JP = 日本

# データの種類。
public-class-personal = 個人に関するデータ
public-class-content = 書かれた内容と添付ファイル
public-class-operational = ID、状態、時刻
public-class-routing = デスクのアドレス、リージョン、状態

# データが向かい得る先。
public-way-another-region = ほかのリージョン
public-way-directory = 全リージョンが共有するアドレスのディレクトリ
public-way-telemetry = 運用者のログとメトリクス
public-way-witness = 履歴が改変されていないことを見届けるほかのリージョン
public-way-webhook = デスクの管理者が指定したサーバー
